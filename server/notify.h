/*
 * The protocol of the service manager (sd_notify(3), sd_listen_fds(3)): status messages to $NOTIFY_SOCKET and
 * the sockets that it passes to the server.  Without a service manager every function does nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The first descriptor that the manager passes. */
#define NOTIFY_FIRST_FD 3

/* Sends one message, such as "READY=1\nSTATUS=Serving"; the message is dropped if the socket is full. */
__attribute__((format(printf, 1, 2))) void notify_send(const char *format, ...);

/* How often to send WATCHDOG=1, in milliseconds; 0: never. */
int64_t notify_watchdog_ms(void);

/* Returns the number of listening sockets that were passed, from NOTIFY_FIRST_FD on.  Makes them non-blocking
 * and close-on-exec. */
int notify_listen_fds(void);

/* Returns true if standard error is the journal's stream: $JOURNAL_STREAM holds its device and inode.  The
 * variable alone proves nothing, since it is inherited by redirected processes. */
bool notify_stderr_is_journal(void);
