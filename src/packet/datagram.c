/* The pieces of one datagram, sorted by where they belong. */
#include "packet/datagram.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#include "base/banned.h"

struct datagram_piece {
	uint32_t offset, wire_len;
	uint32_t captured_len; /* at most wire_len */
	bool more;
	uint8_t *bytes; /* owned; NULL once the datagram is reduced */
	uint64_t hash;  /* of the bytes; set once the datagram is reduced */
};

/* Index of the first piece at or behind `offset`. */
static size_t
find_place(const struct datagram *d, uint32_t offset)
{
	size_t low = 0, high = d->piece_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (d->pieces[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
same_place(const struct datagram_piece *p, const struct fragment *f)
{
	return p->offset == f->offset && p->wire_len == f->wire_len && p->more == f->more;
}

/* One copy may be cut shorter than the other: what both have must be equal. */
static bool
same_bytes(const struct datagram_piece *p, const struct fragment *f)
{
	size_t len = p->captured_len < f->bytes.len ? p->captured_len : f->bytes.len;

	return len == 0 || memcmp(p->bytes, f->bytes.data, len) == 0;
}

/* RFC 5722, section 4: no byte may be claimed twice; nor may there be two different ends. */
static bool
contradicts(const struct datagram *d, const struct fragment *f, size_t at)
{
	uint32_t end = f->offset + f->wire_len;

	if (at > 0 && d->pieces[at - 1].offset + d->pieces[at - 1].wire_len > f->offset)
		return true;
	if (at < d->piece_count && d->pieces[at].offset < end)
		return true;
	if (d->end != 0)
		return !f->more || end > d->end;
	return !f->more && at < d->piece_count;
}

static void
copy_bytes(struct datagram *d, struct datagram_piece *p, struct span bytes)
{
	p->bytes = NULL;
	p->captured_len = (uint32_t)bytes.len; /* at most wire_len */
	if (bytes.len > 0) {
		p->bytes = xmalloc(bytes.len);
		memcpy(p->bytes, bytes.data, bytes.len);
	}
	d->bytes_held += bytes.len;
}

static void
insert(struct datagram *d, const struct fragment *f, size_t at)
{
	struct datagram_piece *p;

	if (d->piece_count == d->piece_room) {
		d->piece_room = d->piece_room == 0 ? 2 : d->piece_room * 2;
		d->pieces = xreallocarray(d->pieces, d->piece_room, sizeof(*d->pieces));
	}
	p = &d->pieces[at];
	memmove(p + 1, p, (d->piece_count - at) * sizeof(*p));
	*p = (struct datagram_piece){
		.offset = f->offset,
		.wire_len = f->wire_len,
		.more = f->more,
	};
	copy_bytes(d, p, f->bytes);
	d->piece_count++;
	d->wire_len += f->wire_len;
}

static void
keep_the_longer(struct datagram *d, struct datagram_piece *p, struct span bytes)
{
	if (bytes.len <= p->captured_len)
		return;
	d->bytes_held -= p->captured_len;
	free(p->bytes);
	copy_bytes(d, p, bytes);
}

enum datagram_fit
datagram_add(struct datagram *d, const struct fragment *f)
{
	size_t at = find_place(d, f->offset);

	if (at < d->piece_count && same_place(&d->pieces[at], f) && same_bytes(&d->pieces[at], f)) {
		keep_the_longer(d, &d->pieces[at], f->bytes);
		return DATAGRAM_DUPLICATE;
	}
	if (contradicts(d, f, at))
		return DATAGRAM_OVERLAP;
	if (d->piece_count == DATAGRAM_PIECES_MAX)
		return DATAGRAM_TOO_MANY;
	/* RFC 8200, section 4.5: the next header of the first fragment is the one that counts. */
	if (f->offset == 0 || d->piece_count == 0)
		d->proto = f->proto;
	insert(d, f, at);
	if (!f->more)
		d->end = f->offset + f->wire_len;
	return d->end != 0 && d->wire_len == d->end ? DATAGRAM_WHOLE : DATAGRAM_ADDED;
}

size_t
datagram_join(const struct datagram *d, uint8_t *out)
{
	size_t len = 0;

	for (size_t i = 0; i < d->piece_count; i++) {
		const struct datagram_piece *p = &d->pieces[i];

		if (p->captured_len > 0)
			memcpy(out + len, p->bytes, p->captured_len);
		len += p->captured_len;
		if (p->captured_len < p->wire_len)
			break;
	}
	return len;
}

void
datagram_reduce(struct datagram *d, const struct hash_key *key)
{
	for (size_t i = 0; i < d->piece_count; i++) {
		struct datagram_piece *p = &d->pieces[i];

		p->hash = hash_bytes(key, p->bytes, p->captured_len);
		free(p->bytes);
		p->bytes = NULL;
	}
	d->bytes_held = 0;
}

bool
datagram_knows(const struct datagram *d, const struct fragment *f, const struct hash_key *key)
{
	size_t at = find_place(d, f->offset);
	const struct datagram_piece *p = &d->pieces[at];

	if (at == d->piece_count || !same_place(p, f))
		return false;
	/* Cut in another place: the bytes cannot be compared any more. */
	if (p->captured_len != f->bytes.len)
		return true;
	return p->hash == hash_bytes(key, f->bytes.data, f->bytes.len);
}

size_t
datagram_held_len(const struct datagram *d)
{
	return d->bytes_held + d->piece_room * sizeof(*d->pieces);
}

void
datagram_release(struct datagram *d)
{
	for (size_t i = 0; i < d->piece_count; i++)
		free(d->pieces[i].bytes);
	free(d->pieces);
	*d = (struct datagram){ 0 };
}
