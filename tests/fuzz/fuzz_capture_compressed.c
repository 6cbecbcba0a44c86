#include <stdlib.h>

#include "capture/capture_internal.h"

#include "base/banned.h"

/* Enough to pass several blocks, and little enough for many runs a second. */
#define OUTPUT_MAX (4u * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The first byte chooses the compression, whatever the rest says; the next how much is known of
 * the input before the decompressor starts. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const enum compression compressions[] = { COMPRESSION_GZIP, COMPRESSION_BZIP2,
		COMPRESSION_XZ, COMPRESSION_ZSTD, COMPRESSION_LZ4 };
	struct error err = { .text = "" };
	struct decompressor *decompressor;
	struct input input;
	struct span head;
	uint8_t *out;
	size_t total = 0;
	ssize_t count;

	if (len < 2)
		return -1;
	input_open_memory(&input, span_from(data + 2, len - 2));
	head = span_first(input.memory, data[1]);
	input.offset = head.len;
	decompressor = decompressor_new(compressions[data[0] % 5], &input, head);
	out = malloc(SNIFF_LEN);
	if (out == NULL)
		abort();
	while ((count = decompressor_read(decompressor, out, SNIFF_LEN, &err)) > 0 &&
	       total < OUTPUT_MAX) {
		if ((size_t)count > SNIFF_LEN)
			abort();
		total += (size_t)count;
	}
	if (count < 0 && err.text[0] == '\0')
		abort(); /* a failure says why */
	free(out);
	decompressor_free(decompressor);
	return 0;
}
