#include "session/proxy_header.h"

#include "base/banned.h"

/* Section 2.2: signature, version and command, family, length of the addresses. */
#define V2_SIGNATURE_LEN 12
#define V2_FIXED_LEN 16
/* Section 2.1: with its line's end. */
#define V1_LEN_MAX 107

/* Two bytes more than the word: no mail client's tag or command goes on like this. */
static const char v1_tcp[] = "PROXY T", v1_unknown[] = "PROXY U";
static const char v2_signature[] = "\r\n\r\n\0\r\nQUIT\n";
#define V1_SIGNATURE_LEN (sizeof(v1_tcp) - 1)

/* What begins as a header and goes on otherwise; the two forms of version 1 differ at their end. */
static struct span
give_up(struct proxy_header *h)
{
	const char *text = h->version == 2 ? v2_signature : v1_tcp;

	h->done = true;
	return span_from((const uint8_t *)text, h->len);
}

static bool
is_signature_byte(const struct proxy_header *h, uint8_t c)
{
	if (h->version == 2)
		return c == (uint8_t)v2_signature[h->len];
	return c == (uint8_t)v1_tcp[h->len] || c == (uint8_t)v1_unknown[h->len];
}

static size_t
signature_len(const struct proxy_header *h)
{
	return h->version == 2 ? V2_SIGNATURE_LEN : V1_SIGNATURE_LEN;
}

/* A byte behind the signature. */
static void
take(struct proxy_header *h, uint8_t c)
{
	if (h->version == 1) {
		h->done = c == '\n' || h->len + 1 == V1_LEN_MAX;
		h->len++;
		return;
	}
	if (h->len >= V2_FIXED_LEN) {
		h->left--;
	} else {
		if (h->len >= V2_FIXED_LEN - 2)
			h->left = (uint16_t)(h->left << 8 | c);
		h->len++;
	}
	h->done = h->len == V2_FIXED_LEN && h->left == 0;
}

bool
proxy_header_is_at(struct span bytes)
{
	struct proxy_header h = { .version = 2 };
	uint8_t c;

	if (span_peek_u8(bytes, &c) && c != (uint8_t)v2_signature[0])
		h.version = 1;
	while (h.len < signature_len(&h) && span_read_u8(&bytes, &c) && is_signature_byte(&h, c))
		h.len++;
	return h.len == signature_len(&h);
}

struct span
proxy_header_read(struct proxy_header *h, struct span *bytes)
{
	uint8_t c;

	while (!h->done && span_peek_u8(*bytes, &c)) {
		if (h->len == 0)
			h->version = c == (uint8_t)v2_signature[0] ? 2 : 1;
		if (h->len < signature_len(h)) {
			if (!is_signature_byte(h, c))
				return give_up(h);
			h->len++;
		} else {
			take(h, c);
		}
		*bytes = span_from(bytes->data + 1, bytes->len - 1);
		/* Behind the first load balancer stands another one. */
		if (h->done && !h->again)
			*h = (struct proxy_header){ .again = true };
	}
	return span_from(bytes->data, 0);
}
