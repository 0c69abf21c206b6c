/* The schema of the database, and the upgrade of databases of older versions. */
#pragma once

#include <sqlite3.h>

/* "defd": the application id in the header of every database of deferd. */
#define SCHEMA_APPLICATION_ID 0x64656664

/* The version that this program writes. */
int schema_version(void);

/* Upgrades the database to that version, each step in its own transaction.  Returns a result code of SQLite;
 * SQLITE_SCHEMA if the database is newer. */
__attribute__((warn_unused_result)) int schema_upgrade(sqlite3 *handle);
