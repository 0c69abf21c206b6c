/*
 * The service manager's side of the server (sd_notify(3), sd_listen_fds(3)): what it is told by datagrams to
 * $NOTIFY_SOCKET, and the sockets that it hands over.  All of it does nothing where there is no such manager.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The first descriptor that is handed over. */
#define NOTIFY_FIRST_FD 3

/* Sends one message, such as "READY=1\nSTATUS=Serving"; lost if the manager does not take it at once. */
__attribute__((format(printf, 1, 2))) void notify_send(const char *format, ...);

/* How often WATCHDOG=1 is wanted, in milliseconds; 0: never. */
int64_t notify_watchdog_ms(void);

/* How many listening sockets were handed over, from descriptor 3 on.  They are made non-blocking and closed
 * on exec. */
int notify_listen_fds(void);

/* Whether standard error goes to the journal: $JOURNAL_STREAM names it, and is inherited by what was
 * redirected elsewhere, too. */
bool notify_stderr_is_journal(void);
