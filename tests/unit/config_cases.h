/* Tables of configurations and the mistakes that they have, for the tests of the configuration's parts. */
#pragma once

#include <stddef.h>

/* Where the files lie that configurations of the tests name. */
#ifndef TEST_DATA
#define TEST_DATA "tests/unit/data"
#endif

struct config_case {
	const char *json;
	const char *lines; /* the mistakes; "": none */
};

struct config;

/* Reads each case as a whole configuration, in the directory TEST_DATA/config. */
void config_cases_check(const struct config_case *cases, size_t count);

/* Reads each case as the only route of a configuration that has nothing else. */
void config_cases_check_routes(const struct config_case *cases, size_t count);

/* The configuration of json, which must have no mistake (the caller's). */
struct config *config_cases_load(const char *json);
