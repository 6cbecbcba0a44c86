#include <stdlib.h>

#include "capture/capture_internal.h"
#include "capture/identity.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The bytes are a saved capture; every byte of every frame is looked at, and its identity made. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct reader reader;
	struct frame frame = { 0 };
	uint64_t hash = 0;
	uint8_t sum = 0;

	if (reader_open_memory(&reader, span_from(data, len), SNIFF_LEN) == READER_OPEN) {
		while (reader_advance(&reader, &frame) == READER_FRAME) {
			hash = identity_add(hash, &frame);
			for (size_t i = 0; i < frame.bytes.len; i++)
				sum ^= frame.bytes.data[i];
			if (frame.time_us < 0 || frame.wire_len < frame.bytes.len)
				abort();
		}
		/* It stays at its end. */
		if (reader_advance(&reader, &frame) == READER_FRAME)
			abort();
	}
	reader_close(&reader);
	return hash + sum == 1 ? -1 : 0;
}
