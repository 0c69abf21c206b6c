/* The query parameter async (contract, 2): what it says, and the query without it.  A pure parser. */
#pragma once

enum async_param { ASYNC_SILENT, ASYNC_TRUE, ASYNC_FALSE, ASYNC_MALFORMED };

/*
 * Splits a query (NULL: there is none) into what async says and, in *ret_rest, the parameters that the work
 * sees, as they came; for the caller to free, NULL where none are left but async.  Two that differ are
 * malformed, as is any value but true, false, 1 and 0.
 */
enum async_param async_param_read(const char *query, char **ret_rest);
