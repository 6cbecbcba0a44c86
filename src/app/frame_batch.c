#include "app/frame_batch.h"

#include <string.h>

#include "base/banned.h"

bool
frame_batch_add(struct frame_batch *batch, const struct frame *frame)
{
	struct frame *copy = &batch->frames[batch->count];
	uint8_t *bytes = batch->bytes + batch->len;

	if (batch->count == FRAME_BATCH_MAX || frame->bytes.len > FRAME_BATCH_LEN - batch->len)
		return false;
	*copy = *frame;
	if (frame->bytes.len > 0)
		memcpy(bytes, frame->bytes.data, frame->bytes.len);
	copy->bytes.data = bytes;
	batch->len += frame->bytes.len;
	batch->count++;
	return true;
}

void
frame_batch_clear(struct frame_batch *batch)
{
	batch->count = batch->len = 0;
}
