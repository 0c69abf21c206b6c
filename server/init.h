/* --init: a directory with a first configuration, ready to serve. */
#pragma once

/* Writes a commented configuration with a route of each kind of work, a file of users with one user, and a schema
 * into directory, which is made if it does not exist.  Says on standard output what it has written, and the user's
 * password, which is new each time.  Writes nothing if one of the files exists.  Returns 0, or -errno after a line on
 * standard error. */
__attribute__((warn_unused_result)) int init_directory(const char *directory);
