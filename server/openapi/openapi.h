/*
 * OpenAPI 3.1 of what a configuration serves: every route with its parameters, schemas and responses, and the
 * monitors at which its operations are polled.  Schemas stand in it as they are in the configuration, since
 * both speak JSON Schema 2020-12.  What OpenAPI cannot say is said in words: that {rest...} takes slashes.
 * HEAD is not listed.
 */
#pragma once

struct config;
struct json_object;
struct style;

/* Returns the whole document, the caller's.  styles are those that the configuration was read with. */
struct json_object *openapi_document(const struct config *config, const struct style *const *styles);
