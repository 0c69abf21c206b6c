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
struct settings;

/* A string that is converted (settings.h). */
struct config_value_case {
	const char *string;
	const char *kept; /* NULL: it is a mistake */
	const char *line; /* a part of what is told of a mistake; NULL: not looked at */
};

typedef char *(*config_convert_fn)(struct settings *settings, const char *string);

/* Reads each case as a whole configuration, in the directory TEST_DATA/config. */
void config_cases_check(const struct config_case *cases, size_t count);

/* Reads each case as the only route of a configuration that has nothing else. */
void config_cases_check_routes(const struct config_case *cases, size_t count);

/* The configuration of json, which must have no mistake (the caller's). */
struct config *config_cases_load(const char *json);

/* Converts each case, in the directory; a mistake is exactly one line. */
void config_values_check(config_convert_fn convert, const char *directory,
	const struct config_value_case *cases, size_t count);

#define CONFIG_VALUES_CHECK(convert, cases) \
	config_values_check(convert, "/etc/deferd", cases, sizeof cases / sizeof *cases)
