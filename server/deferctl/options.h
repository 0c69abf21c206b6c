/* What the command line and the environment say. */
#pragma once

#include "common/http/fields.h"

#include <stdbool.h>
#include <stdint.h>

/* The exit statuses of our own (sysexits.h, curl); all others are numbers of libcurl's errors. */
enum exit_code { EXIT_GOOD = 0, EXIT_REFUSED = 22, EXIT_USAGE = 64, EXIT_INTERRUPTED = 130 };

struct options {
	const char *command;
	const char *target; /* the argument behind the command; NULL: none */
	const char *method, *data, *output, *cacert, *state, *route, *limit;
	bool is_json, is_quiet, is_following, is_detached;
	uint64_t max_time_s; /* for one exchange; 0: any */
	uint64_t retries;
	struct fields fields; /* of -H */
	char *user;	      /* user:password; NULL: none */
	char *token;	      /* NULL: none */
	char *key;	      /* the Idempotency-Key */
};

/* Reads the arguments.  0, 64 (it has told why), or -1: it has answered --help or --version. */
int options_read(struct options *ret_options, int argc, char **argv);

/* Reads a token: the first line of the file at path.  -EINVAL where that is none; -errno. */
__attribute__((warn_unused_result)) int options_read_token(const char *path, char **ret_token);

void options_fini(struct options *options);
