"""SQLite alone: rows like one of deferd's operations, in groups that are committed as deferd commits them (WAL, synchronous=FULL).

usage: sqlite.py DATABASE DIRECTORY SECONDS ROWS     DATABASE: deferd's, with an operation; ROWS: of a group
Prints rows a second, the 99th percentile of a group's milliseconds, and CPU microseconds for each row."""
import os
import sqlite3
import sys
import tempfile
import time


def main():
    source, directory, seconds, rows = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
    with sqlite3.connect(source) as like:
        tables = [sql for (sql,) in like.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'operation' AND sql IS NOT NULL ORDER BY type DESC")]
        cursor = like.execute("SELECT * FROM operation LIMIT 1")
        names, row = [column[0] for column in cursor.description], list(cursor.fetchone())
    like.close()
    sequence, id_at = names.index("sequence"), names.index("id")
    row[sequence] = None
    insert = f"INSERT INTO operation VALUES ({', '.join('?' * len(row))})"
    with tempfile.TemporaryDirectory(dir=directory) as place:
        database = sqlite3.connect(place + "/sqlite.db", isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        for sql in tables:
            database.execute(sql)
        times, began, cpu = [], time.monotonic(), time.process_time()
        while time.monotonic() - began < seconds:
            at = time.monotonic()
            database.execute("BEGIN")
            database.executemany(insert, (row[:id_at] + [os.urandom(16)] + row[id_at + 1:] for _ in range(rows)))
            database.execute("COMMIT")
            times.append(time.monotonic() - at)
        took, cpu = time.monotonic() - began, time.process_time() - cpu
        database.close()
    count = len(times) * rows
    print(count / took, sorted(times)[len(times) * 99 // 100] * 1000, cpu / count * 1e6)


main()
