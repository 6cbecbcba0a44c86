#include "store/tally_numbers.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "store/columns.h"
#include "store/store_internal.h"

#include "base/banned.h"

void
tally_numbers_init(struct tally_numbers *n, const struct tally *tally)
{
	*n = (struct tally_numbers){
		.tally = tally,
		.kinds = xcalloc(tally_kind_count(tally) + 1, sizeof(*n->kinds)),
		.stories = xcalloc(tally_story_count(tally) + 1, sizeof(*n->stories)),
	};
}

void
tally_numbers_release(struct tally_numbers *n)
{
	free(n->kinds);
	free(n->stories);
}

static bool
make_printable(struct store *s, struct event_text *text, enum store_charset charset)
{
	struct event_text before = *text;

	store_make_printable(&s->scratch, text, charset);
	return span_equals(event_text_span(&before), event_text_span(text));
}

/*
 * A key that is kept in another form may be that of another finding, too: such a kind has no number
 * here.
 */
static int
find_kind(struct store *s, struct tally_number *kind, bool keep, struct finding_key *key,
    int64_t *id, struct error *err)
{
	*id = 0;
	if (!kind->seen) {
		kind->plain = key->tls_version <= STORE_VERSION_MAX &&
			      make_printable(s, &key->server, CHARSET_ASCII);
		kind->seen = true;
	}
	if (!kind->plain) {
		if (key->tls_version > STORE_VERSION_MAX) /* nothing speaks it */
			key->tls_version = 0;
		store_make_printable(&s->scratch, &key->server, CHARSET_ASCII);
		return 0;
	}
	if (kind->id == 0 && (keep ? store_keep_kind(s, key, &kind->id, err)
				   : store_find_kind(s, key, &kind->id, err)) != 0)
		return -1;
	*id = kind->id;
	return 0;
}

static int
find_story(
    struct store *s, struct tally_number *story, struct finding *f, int64_t *id, struct error *err)
{
	if (!story->seen) {
		story->plain = make_printable(s, &f->certificate_subject, CHARSET_UTF8);
		story->seen = true;
	} else if (!story->plain) {
		store_make_printable(&s->scratch, &f->certificate_subject, CHARSET_UTF8);
	}
	if (story->id == 0 && store_keep_story(s, f, &story->id, err) != 0)
		return -1;
	*id = story->id;
	return 0;
}

int
tally_numbers_find_all(struct store *s, struct tally_numbers *n, struct error *err)
{
	struct finding f = { 0 };
	uint32_t kind, story;
	int64_t id;

	/* In the order of the findings, and not of the tally, which differs from run to run. */
	for (size_t i = 0; i < tally_finding_count(n->tally); i++) {
		tally_row_shared(n->tally, i, &kind, &story);
		if (!n->kinds[kind].seen) {
			tally_kind_at(n->tally, kind, &f.key);
			if (find_kind(s, &n->kinds[kind], true, &f.key, &id, err) != 0)
				return -1;
		}
		if (!n->stories[story].seen) {
			tally_story_at(n->tally, story, &f);
			if (find_story(s, &n->stories[story], &f, &id, err) != 0)
				return -1;
		}
	}
	return 0;
}

int
tally_numbers_finding(struct store *s, struct tally_numbers *n, size_t index, bool keep,
    struct finding *out, struct store_finding_place *place, struct error *err)
{
	struct tally_row row;

	tally_row_at(n->tally, index, &row);
	tally_row_finding(n->tally, index, &row, out);
	if (find_kind(s, &n->kinds[row.kind], keep, &out->key, &place->kind, err) != 0)
		return -1;
	return find_story(s, &n->stories[row.story], out, &place->story, err);
}
