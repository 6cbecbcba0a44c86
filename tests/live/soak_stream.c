/*
 * Writes a capture of any length to standard output: the connections of a few small captures, over
 * and over, each time as another connection of one of so many clients, at a later time.
 *
 * usage: soak_stream COUNT CLIENTS SPACING_US CAPTURE...
 *
 * A capture is a pcap of Ethernet and IPv4, in this machine's byte order; what is not TCP in it is
 * left out.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/banned.h"

#define FRAMES_MAX 512
#define TEMPLATES_MAX 32
#define FRAME_LEN_MAX 9000
/* Connections whose packets are interleaved. */
#define TOGETHER 16
/* 2026-11-19 00:00 UTC */
#define START_US INT64_C(1795046400000000)
#define GAP_US 500
#define IP 14
#define PCAP_MAGIC 0xa1b2c3d4u
#define LINKTYPE_ETHERNET 1u

struct frame {
	uint8_t *bytes;
	uint32_t len;
	bool from_client;
};

struct template
{
	struct frame frames[FRAMES_MAX];
	unsigned count;
};

static struct template templates[TEMPLATES_MAX];
static unsigned template_count;
static uint64_t client_count, spacing_us;

static uint32_t
get_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void
put_u32(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 24);
	at[1] = (uint8_t)(value >> 16);
	at[2] = (uint8_t)(value >> 8);
	at[3] = (uint8_t)value;
}

static uint8_t *
tcp_of(uint8_t *bytes)
{
	return bytes + IP + 4 * (bytes[IP] & 15);
}

/* The client is the side with the higher port. */
static void
keep(struct template *t, const uint8_t *bytes, uint32_t len)
{
	struct frame *f = &t->frames[t->count];
	const uint8_t *tcp;

	if (t->count == FRAMES_MAX || len < IP + 40 || bytes[12] != 8 || bytes[13] != 0 ||
	    bytes[IP + 9] != 6)
		return;
	f->bytes = malloc(len);
	if (f->bytes == NULL)
		exit(1);
	memcpy(f->bytes, bytes, len);
	f->len = len;
	tcp = tcp_of(f->bytes);
	f->from_client = get_u32(tcp) >> 16 > (get_u32(tcp) & 0xffff);
	t->count++;
}

static bool
read_template(const char *path)
{
	struct template *t = &templates[template_count];
	FILE *file = fopen(path, "rb");
	uint32_t header[6], record[4];
	uint8_t bytes[FRAME_LEN_MAX];

	if (file == NULL || fread(header, sizeof(header), 1, file) != 1 ||
	    header[0] != PCAP_MAGIC || header[5] != LINKTYPE_ETHERNET)
		goto bad;
	while (fread(record, sizeof(record), 1, file) == 1) {
		if (record[2] > sizeof(bytes) || fread(bytes, 1, record[2], file) != record[2])
			goto bad;
		keep(t, bytes, record[2]);
	}
	(void)fclose(file);
	template_count++;
	return t->count > 0;
bad:
	(void)fprintf(stderr, "soak_stream: %s cannot be used\n", path);
	if (file != NULL)
		(void)fclose(file);
	return false;
}

/* Frame `i` of connection `number`: another client, another port, other sequence numbers. */
static void
write_frame(uint64_t number, unsigned i, uint64_t time_us)
{
	const struct frame *f = &templates[number % template_count].frames[i];
	const uint32_t record[4] = { (uint32_t)(time_us / 1000000), (uint32_t)(time_us % 1000000),
		f->len, f->len };
	uint8_t bytes[FRAME_LEN_MAX], *tcp;
	uint32_t client_isn = (uint32_t)(number * 2654435761u), server_isn = client_isn / 3;
	uint32_t ports;
	unsigned port;

	memcpy(bytes, f->bytes, f->len);
	tcp = tcp_of(bytes);
	put_u32(bytes + IP + (f->from_client ? 12 : 16),
	    0x0ac80000u + (uint32_t)(number % client_count));
	ports = get_u32(tcp);
	port = f->from_client ? ports >> 16 : ports & 0xffff;
	port = 1024 + (unsigned)((port + number / client_count) % 64000);
	put_u32(tcp, f->from_client ? port << 16 | (ports & 0xffff) : (ports & 0xffff0000u) | port);
	put_u32(tcp + 4, get_u32(tcp + 4) + (f->from_client ? client_isn : server_isn));
	put_u32(tcp + 8, get_u32(tcp + 8) + (f->from_client ? server_isn : client_isn));
	(void)fwrite(record, sizeof(record), 1, stdout);
	(void)fwrite(bytes, f->len, 1, stdout);
}

static void
write_together(uint64_t first)
{
	unsigned longest = 0;

	for (unsigned i = 0; i < template_count; i++)
		longest = templates[i].count > longest ? templates[i].count : longest;
	for (unsigned i = 0; i < longest; i++) {
		uint64_t time_us = START_US + first * spacing_us + i * GAP_US;

		for (unsigned k = 0; k < TOGETHER; k++) {
			if (i < templates[(first + k) % template_count].count)
				write_frame(first + k, i, time_us);
		}
	}
}

int
main(int argc, char **argv)
{
	const uint32_t header[6] = { PCAP_MAGIC, 2 | 4u << 16, 0, 0, 65536, LINKTYPE_ETHERNET };
	uint64_t count;

	if (argc < 5 || argc - 4 > TEMPLATES_MAX) {
		(void)fprintf(stderr, "usage: soak_stream COUNT CLIENTS SPACING_US CAPTURE...\n");
		return 2;
	}
	count = strtoull(argv[1], NULL, 10);
	client_count = strtoull(argv[2], NULL, 10);
	spacing_us = strtoull(argv[3], NULL, 10);
	for (int i = 4; i < argc; i++) {
		if (!read_template(argv[i]))
			return 1;
	}
	(void)setvbuf(stdout, NULL, _IOFBF, (size_t)1 << 20);
	(void)fwrite(header, sizeof(header), 1, stdout);
	for (uint64_t first = 0; first < count && !ferror(stdout); first += TOGETHER)
		write_together(first);
	return fflush(stdout) == 0 ? 0 : 1;
}
