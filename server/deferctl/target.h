/* URLs: what the user names, what a server refers to, and whether two have the same origin. */
#pragma once

#include <stdbool.h>

/* The URL that argument means (malloc'ed): itself, or what it is below base: an id is an operation, all else a path.
 * NULL where it is no URL of HTTP, or base (NULL: none) is needed and is none. */
char *target_find(const char *argument, const char *base);

/* The URL that reference means in an answer of url (RFC 3986, 5); NULL if it is none of HTTP. */
char *target_resolve(const char *url, const char *reference);

/* Whether scheme, host and port are the same.  Only such an URL is sent credentials. */
bool target_is_same_origin(const char *a, const char *b);

/* Takes user and password out of url: a new URL without them, and "user:password" (NULL: none), both malloc'ed. */
char *target_split(const char *url, char **ret_user);

/* The URL of a part of the operation whose monitor is url, such as "status"; part NULL: of its monitor in style location.
 * NULL where url is not below .../operations/ID. */
char *target_of_operation(const char *url, const char *part);
