/* Addresses to listen on: checks and classifies them.  Any thread. */
#pragma once

#include "config/settings/settings.h"

#include <stdbool.h>

/* "127.0.0.1:8580", "[::1]:8580", "localhost:8580", "unix:PATH"; PATH becomes absolute. */
char *config_convert_address(struct settings *settings, const char *address);

/* Whether only this machine can reach a converted address: loopback, or a unix socket. */
bool config_address_is_local(const char *address);

/* Whether the port of a converted address is 0. */
bool config_address_is_any_port(const char *address);
