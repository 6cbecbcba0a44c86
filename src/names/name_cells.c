/* Cells of half a cache line, in pieces that stay where they are. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "names/name_cache_internal.h"

#include "base/banned.h"

_Static_assert(2 * NAME_CELL_LEN == CACHE_LINE, "a pair is a cache line");

void
name_cells_init(struct name_cells *cells)
{
	*cells = (struct name_cells){
		.unused_pair = NAME_CELL_NONE,
		.unused_single = NAME_CELL_NONE,
	};
}

void
name_cells_release(struct name_cells *cells)
{
	for (size_t i = 0; i < cells->piece_count; i++)
		xfree_aligned(cells->pieces[i]);
	free(cells->pieces);
	name_cells_init(cells);
}

/* An unused one begins with the number of the next. */
static void
push(struct name_cells *cells, uint32_t *list, uint32_t number)
{
	memcpy(name_cell(cells, number), list, sizeof(*list));
	*list = number;
}

static uint32_t
pop(const struct name_cells *cells, uint32_t *list)
{
	uint32_t number = *list;

	memcpy(list, name_cell(cells, number), sizeof(*list));
	return number;
}

static void
add_piece(struct name_cells *cells)
{
	cells->pieces =
	    xreallocarray(cells->pieces, cells->piece_count + 1, sizeof(*cells->pieces));
	cells->pieces[cells->piece_count++] =
	    xcalloc_aligned((size_t)NAME_CELLS_PER_PIECE * NAME_CELL_LEN);
}

uint32_t
name_cells_take_pair(struct name_cells *cells)
{
	uint32_t number = cells->fresh;

	cells->used += 2;
	if (cells->unused_pair != NAME_CELL_NONE)
		return pop(cells, &cells->unused_pair);
	if (number == cells->piece_count * NAME_CELLS_PER_PIECE)
		add_piece(cells);
	cells->fresh += 2;
	return number;
}

void
name_cells_give_back_pair(struct name_cells *cells, uint32_t number)
{
	push(cells, &cells->unused_pair, number);
	cells->used -= 2;
}

uint32_t
name_cells_take_single(struct name_cells *cells)
{
	uint32_t number;

	if (cells->unused_single != NAME_CELL_NONE)
		return pop(cells, &cells->unused_single);
	number = name_cells_take_pair(cells);
	push(cells, &cells->unused_single, number + 1);
	return number;
}

void
name_cells_give_back_single(struct name_cells *cells, uint32_t number)
{
	push(cells, &cells->unused_single, number);
}
