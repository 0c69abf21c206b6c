/* What the tables look like, and how a database of an older version becomes one of ours. */
#pragma once

#include <sqlite3.h>

/* "defd" in a database's header says that it is ours. */
#define SCHEMA_APPLICATION_ID 0x64656664

/* The version that this program writes. */
int schema_version(void);

/* Brings the database to that version, one transaction a step.  A result code of SQLite; SQLITE_SCHEMA if it
 * is newer already. */
__attribute__((warn_unused_result)) int schema_upgrade(sqlite3 *handle);
