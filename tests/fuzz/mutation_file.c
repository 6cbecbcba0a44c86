/* The file around a mutant's packets. */
#include "mutation.h"

#include <string.h>

#include "base/banned.h"

#define INTERFACES_MAX 8
#define SECOND_US 1000000
#define LAST_S INT64_C(0xffffffff)

/* Numbers in the byte order of the file. */
struct writer {
	struct buf *out;
	bool little;
};

static void
put_number(struct writer *w, uint64_t value, unsigned len)
{
	for (unsigned i = 0; i < len; i++) {
		unsigned shift = 8 * (w->little ? i : len - 1 - i);

		buf_add_char(w->out, (char)(uint8_t)(value >> shift));
	}
}

static void
put_u32(struct writer *w, uint64_t value)
{
	put_number(w, value, 4);
}

static void
put_bytes(struct writer *w, struct span bytes)
{
	if (bytes.len > 0)
		buf_add(w->out, bytes.data, bytes.len);
}

/* draft-ietf-opsawg-pcap: one link type for all. */
static void
write_pcap(const struct capture *c, struct writer *w, bool nanoseconds)
{
	put_u32(w, nanoseconds ? 0xa1b23c4du : 0xa1b2c3d4u);
	put_number(w, 2, 2);
	put_number(w, 4, 2);
	put_u32(w, 0);
	put_u32(w, 0);
	put_u32(w, 262144);
	put_u32(w, c->frames[0].link_type);
	for (size_t i = 0; i < c->count; i++) {
		const struct frame *f = &c->frames[i];
		int64_t seconds = f->time_us / SECOND_US;

		put_u32(w, (uint64_t)(seconds < LAST_S ? seconds : LAST_S));
		put_u32(w, (uint64_t)(f->time_us % SECOND_US) * (nanoseconds ? 1000 : 1));
		put_u32(w, f->bytes.len);
		put_u32(w, f->wire_len);
		put_bytes(w, f->bytes);
	}
}

/* The number of the interface of this link type, which is described first where it is new. */
static size_t
find_interface(struct writer *w, uint32_t types[INTERFACES_MAX], size_t *count, uint32_t type)
{
	size_t i = 0;

	while (i < *count && types[i] != type)
		i++;
	if (i == INTERFACES_MAX)
		return 0;
	if (i == *count) {
		types[(*count)++] = type;
		put_u32(w, 1);
		put_u32(w, 20);
		put_number(w, type, 2);
		put_number(w, 0, 2);
		put_u32(w, 0);
		put_u32(w, 20);
	}
	return i;
}

/* draft-ietf-opsawg-pcapng: an interface for each link type. */
static void
write_pcapng(const struct capture *c, struct writer *w)
{
	static const uint8_t zeros[4] = { 0 };
	uint32_t types[INTERFACES_MAX];
	size_t interface_count = 0;

	put_u32(w, 0x0a0d0d0a);
	put_u32(w, 28);
	put_u32(w, 0x1a2b3c4d);
	put_number(w, 1, 2);
	put_number(w, 0, 2);
	put_number(w, UINT64_MAX, 8);
	put_u32(w, 28);
	for (size_t i = 0; i < c->count; i++) {
		const struct frame *f = &c->frames[i];
		size_t interface = find_interface(w, types, &interface_count, f->link_type);
		size_t padding = -f->bytes.len & 3, len = 32 + f->bytes.len + padding;

		put_u32(w, 6);
		put_u32(w, len);
		put_u32(w, interface);
		put_u32(w, (uint64_t)f->time_us >> 32);
		put_u32(w, (uint64_t)f->time_us & UINT32_MAX);
		put_u32(w, f->bytes.len);
		put_u32(w, f->wire_len);
		put_bytes(w, f->bytes);
		put_bytes(w, span_from(zeros, padding));
		put_u32(w, len);
	}
}

static void
write_any(struct mutation *m, struct buf *out)
{
	struct writer w = { .out = out, .little = random_below(&m->random, 4) > 0 };

	if (random_below(&m->random, 2) == 0)
		write_pcapng(&m->capture, &w);
	else
		write_pcap(&m->capture, &w, random_below(&m->random, 4) == 0);
}

/* Bytes of the file itself: its header, the lengths of its records, or anything. */
static void
damage(struct mutation *m, struct buf *out)
{
	for (size_t i = 1 + random_below(&m->random, 4); i > 0; i--) {
		size_t end = random_below(&m->random, 3) == 0 && out->len > 64 ? 64 : out->len;

		out->data[random_below(&m->random, end)] ^=
		    (char)(1u << random_below(&m->random, 8));
	}
}

void
mutation_write(struct mutation *m, struct buf *out)
{
	buf_clear(out);
	write_any(m, out);
	switch (random_below(&m->random, 12)) {
	case 0:
		damage(m, out);
		return;
	case 1:
		/* A disk that was full. */
		out->len = random_below(&m->random, out->len + 1);
		return;
	case 2:
		/* Two files in one: for pcapng two sections, for pcap nonsense. */
		write_any(m, out);
		return;
	case 3: {
		/* A few bytes lost on the way, in the middle. */
		size_t at = random_below(&m->random, out->len);
		size_t len = random_below(&m->random, out->len - at);

		len = len < 100 ? len : 100;
		memmove(out->data + at, out->data + at + len, out->len - at - len);
		out->len -= len;
		return;
	}
	default:
		return;
	}
}
