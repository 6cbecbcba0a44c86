#include "capture/ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"

#include "base/banned.h"

/*
 * Long blocks wake the thread seldom, but while one of them is read the ring has to do without it.
 */
#define BLOCK_LEN_MIN UINT32_C(65536)
#define BLOCK_LEN_MAX UINT32_C(1048576)
#define BLOCKS 16
#define BLOCKS_MIN 4
/* A frame has room in a block with its header and the block's. */
#define HEADERS_LEN UINT32_C(4096)
/* The kernel asks for one, but this version of the ring does not use it. */
#define FRAME_LEN 2048

struct ring {
	int fd;
	struct ring_block_options block;
	uint8_t *memory;
	size_t block_len, block_count;
	size_t at; /* the block that is filled next, or being so */
};

static int
set_option(const struct ring *r, int name, int value)
{
	return setsockopt(r->fd, SOL_PACKET, name, &value, sizeof(value));
}

/* A block's length: one of BLOCKS of the ring, if that is within the bounds. */
static size_t
block_len_for(const struct ring_options *options)
{
	size_t len = BLOCK_LEN_MIN;

	while (len < options->snap_len + HEADERS_LEN ||
	       (len < BLOCK_LEN_MAX && len < options->buffer_len / BLOCKS))
		len *= 2;
	return len;
}

static int
make_ring(struct ring *r, const struct ring_options *options)
{
	struct tpacket_req3 request = {
		.tp_frame_size = FRAME_LEN,
		.tp_retire_blk_tov = options->timeout_ms,
	};
	void *memory;

	r->block_len = block_len_for(options);
	r->block_count = options->buffer_len / r->block_len;
	if (r->block_count < BLOCKS_MIN)
		r->block_count = BLOCKS_MIN;
	request.tp_block_size = (unsigned)r->block_len;
	request.tp_block_nr = (unsigned)r->block_count;
	request.tp_frame_nr = request.tp_block_nr * (request.tp_block_size / FRAME_LEN);
	if (set_option(r, PACKET_VERSION, TPACKET_V3) != 0 ||
	    set_option(r, PACKET_RESERVE, RING_TAG_LEN) != 0 ||
	    setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) != 0)
		return -1;
	memory =
	    mmap(NULL, r->block_len * r->block_count, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (memory == MAP_FAILED)
		return -1;
	r->memory = memory;
	return 0;
}

struct ring *
ring_open(const struct ring_options *options)
{
	struct ring *r = xcalloc(1, sizeof(*r));

	r->block = options->block;
	/* Without a protocol the socket gets nothing before it is bound. */
	r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (r->fd >= 0 && make_ring(r, options) == 0)
		return r;
	ring_close(r);
	return NULL;
}

void
ring_close(struct ring *r)
{
	if (r == NULL)
		return;
	if (r->memory != NULL)
		(void)munmap(r->memory, r->block_len * r->block_count);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r);
}

int
ring_fd(const struct ring *r)
{
	return r->fd;
}

int
ring_bind(struct ring *r, int index, bool is_loopback)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = index,
	};

	r->block.skips_outgoing = is_loopback;
	return bind(r->fd, (const struct sockaddr *)(const void *)&address, sizeof(address));
}

/* The next block, if the kernel has given it; NULL otherwise. */
static struct tpacket_block_desc *
filled_block(const struct ring *r)
{
	struct tpacket_block_desc *block =
	    (struct tpacket_block_desc *)(void *)(r->memory + r->at * r->block_len);
	uint32_t status = __atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE);

	return (status & TP_STATUS_USER) != 0 ? block : NULL;
}

size_t
ring_read(struct ring *r, size_t max, ring_frames_fn frames, void *arg)
{
	struct tpacket_block_desc *block;
	size_t count = 0;

	while (count < max && (block = filled_block(r)) != NULL) {
		count += ring_block_read(block, &r->block, frames, arg);
		__atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		r->at = (r->at + 1) % r->block_count;
	}
	return count;
}

int
ring_take_error(const struct ring *r)
{
	int found = 0;
	socklen_t len = sizeof(found);

	return getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &found, &len) == 0 ? found : errno;
}

void
ring_add_stats(const struct ring *r, uint64_t *received, uint64_t *dropped)
{
	struct tpacket_stats_v3 now;
	socklen_t len = sizeof(now);

	if (getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &now, &len) != 0)
		return;
	*received += now.tp_packets;
	*dropped += now.tp_drops;
}
