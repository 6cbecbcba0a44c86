#include "event/community_id.h"

#include <string.h>

#include "base/digest.h"

#include "base/banned.h"

#define IP_PROTOCOL_TCP 6

static size_t
put_addr(uint8_t *out, const struct addr *a)
{
	size_t len = a->family == 4 ? 4 : 16;

	memcpy(out, a->bytes, len);
	return len;
}

static size_t
put_port(uint8_t *out, uint16_t port)
{
	out[0] = (uint8_t)(port >> 8);
	out[1] = (uint8_t)port;
	return 2;
}

static char *
put_base64(char *out, const uint8_t *data, size_t len)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (; len >= 3; data += 3, len -= 3) {
		uint32_t three = (uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2];

		*out++ = alphabet[three >> 18];
		*out++ = alphabet[three >> 12 & 63];
		*out++ = alphabet[three >> 6 & 63];
		*out++ = alphabet[three & 63];
	}
	if (len == 0)
		return out;
	*out++ = alphabet[data[0] >> 2];
	*out++ = alphabet[(data[0] & 3) << 4 | (len == 2 ? data[1] >> 4 : 0)];
	*out++ = len == 2 ? alphabet[(data[1] & 15) << 2] : '=';
	*out++ = '=';
	return out;
}

char *
community_id_put(char *out, const struct event *ev)
{
	uint8_t input[2 + 16 + 16 + 2 + 2 + 2] = { 0, 0 }; /* seed 0 */
	uint8_t sha1[DIGEST_SHA1_LEN];
	size_t len = 2;
	int order = addr_compare(&ev->client_ip, &ev->server_ip);
	bool client_first = order < 0 || (order == 0 && ev->client_port < ev->server_port);

	len += put_addr(input + len, client_first ? &ev->client_ip : &ev->server_ip);
	len += put_addr(input + len, client_first ? &ev->server_ip : &ev->client_ip);
	input[len++] = IP_PROTOCOL_TCP;
	input[len++] = 0;
	len += put_port(input + len, client_first ? ev->client_port : ev->server_port);
	len += put_port(input + len, client_first ? ev->server_port : ev->client_port);
	digest_sha1(span_from(input, len), sha1);
	*out++ = '1';
	*out++ = ':';
	return put_base64(out, sha1, sizeof(sha1));
}

void
community_id_text(const struct event *ev, char out[COMMUNITY_ID_TEXT_LEN])
{
	*community_id_put(out, ev) = '\0';
}
