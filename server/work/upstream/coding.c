/* Content codings that zlib can undo. */
#include "work/upstream/coding.h"

#include "common/text.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

/* How much is decoded at once. */
#define PIECE_BYTES (16 * 1024)

/* zlib: a header of gzip or of zlib (RFC 1950), whichever comes; or none. */
#define ANY_HEADER (MAX_WBITS + 32)
#define NO_HEADER (-MAX_WBITS)

#define GZIP_FIRST_BYTE 0x1f

struct coding {
	z_stream stream;
	bool is_deflate;
	bool has_begun;
	bool has_ended; /* what came so far is complete */
	char piece[PIECE_BYTES];
};

struct coding *
coding_new(const char *name, size_t len)
{
	bool is_deflate = text_equal_nocase(name, len, "deflate");

	if (!is_deflate && !text_equal_nocase(name, len, "gzip") && !text_equal_nocase(name, len, "x-gzip"))
		return NULL;
	struct coding *coding = xcalloc(1, sizeof *coding);
	coding->is_deflate = is_deflate;
	if (inflateInit2(&coding->stream, ANY_HEADER) != Z_OK)
		abort(); /* out of memory */
	return coding;
}

void
coding_free(struct coding *coding)
{
	if (!coding)
		return;
	inflateEnd(&coding->stream);
	free(coding);
}

/* Some servers send deflate without the header that RFC 9110 demands. */
static void
choose_header(struct coding *coding, const char *data)
{
	if (!coding->has_begun && coding->is_deflate && (*data & 0x0f) != Z_DEFLATED)
		inflateReset2(&coding->stream, NO_HEADER);
	coding->has_begun = true;
}

/* Writes what one call of zlib has made. */
static int
write_made(struct coding *coding, struct blob_sink *sink)
{
	return blob_sink_write(sink, coding->piece, PIECE_BYTES - coding->stream.avail_out);
}

/* Decodes what zlib has got, up to a piece.  Several members of gzip may follow one another (RFC 1952, 2.2); what is none
 * is padding. */
static int
step(struct coding *coding)
{
	z_stream *stream = &coding->stream;

	stream->next_out = (Bytef *)coding->piece;
	stream->avail_out = PIECE_BYTES;
	if (coding->has_ended && *stream->next_in != GZIP_FIRST_BYTE) {
		stream->avail_in = 0;
		return 0;
	}
	if (coding->has_ended && inflateReset(stream) != Z_OK)
		return -EBADMSG;
	int rc = inflate(stream, Z_NO_FLUSH);
	coding->has_ended = rc == Z_STREAM_END;
	return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? 0 : -EBADMSG;
}

int
coding_write(struct coding *coding, const char *data, size_t len, struct blob_sink *sink)
{
	z_stream *stream = &coding->stream;
	int rc = 0;

	if (len == 0)
		return 0;
	choose_header(coding, data);
	stream->next_in = (Bytef *)(uintptr_t)data;
	stream->avail_in = (uInt)len;
	do {
		rc = step(coding);
		if (rc == 0)
			rc = write_made(coding, sink);
	} while (rc == 0 && (stream->avail_in > 0 || stream->avail_out == 0));
	return rc;
}

bool
coding_is_complete(const struct coding *coding)
{
	return coding->has_ended || !coding->has_begun;
}
