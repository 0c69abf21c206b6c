/* Reader of a packed corpus: each seed is a line `NAME LENGTH`, its bytes, and a line end. */
#include "tests/fuzz/seeds.h"

#include "common/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns 1, or 0 at the end of the file, or -EINVAL. */
static int
read_seed(FILE *file, char name[256], char **ret_data, size_t *ret_len)
{
	int fields = fscanf(file, "%255s %zu", name, ret_len);

	*ret_data = NULL;
	if (fields == EOF)
		return ferror(file) ? -EIO : 0;
	if (fields != 2 || fgetc(file) != '\n' || *ret_len > (1u << 20))
		return -EINVAL;
	*ret_data = malloc(*ret_len + 1);
	if (!*ret_data)
		return -ENOMEM;
	if (fread(*ret_data, 1, *ret_len, file) != *ret_len || fgetc(file) != '\n')
		return -EINVAL;
	return 1;
}

int
seeds_each(const char *path, void (*fn)(void *arg, const char *name, const char *data, size_t len), void *arg)
{
	FILE *file = fopen(path, "rb");
	int count = 0, rc = 1;

	if (!file)
		return -EIO;
	while (rc > 0) {
		CLEANUP_FREE char *data = NULL;
		char name[256];
		size_t len;

		rc = read_seed(file, name, &data, &len);
		if (rc > 0) {
			fn(arg, name, data, len);
			count++;
		}
	}
	fclose(file);
	return rc < 0 ? rc : count;
}
