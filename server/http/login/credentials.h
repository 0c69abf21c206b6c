/* Credentials of an Authorization field (RFC 9110, 11.6.2): Basic (RFC 7617) or Bearer (RFC 6750).  Any
 * thread. */
#pragma once

enum credentials_scheme {
	CREDENTIALS_BASIC,
	CREDENTIALS_BEARER,
};

struct credentials {
	enum credentials_scheme scheme;
	char *name;   /* of CREDENTIALS_BASIC, else NULL */
	char *secret; /* the password or the token */
};

/* -EINVAL if the field is of another scheme or malformed. */
__attribute__((warn_unused_result)) int credentials_parse(
	const char *field, struct credentials *ret_credentials);

/* Wipes the secret and frees. */
void credentials_fini(struct credentials *credentials);
