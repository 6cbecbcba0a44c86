#include "mail/mail_internal.h"

#include <string.h>

#include "base/short_copy.h"

#include "base/banned.h"

static uint8_t
upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

bool
mail_contains_any(struct span s, const char *const *texts)
{
	for (; *texts != NULL; texts++) {
		if (mail_contains(s, *texts))
			return true;
	}
	return false;
}

/* RFC 2595, sections 3.1 and 4, have "Begin TLS negotiation now"; nearly all servers say so. */
bool
mail_grants_tls(struct span text)
{
	static const char *const words[] = { "TLS NEGOTIATION", "BEGIN TLS", "STARTTLS COMPLETED",
		"STLS COMPLETED", NULL };

	return mail_contains_any(text, words);
}

struct span
mail_trim(struct span s)
{
	while (s.len > 0 && is_blank(s.data[0])) {
		s.data++;
		s.len--;
	}
	while (s.len > 0 && (is_blank(s.data[s.len - 1]) || s.data[s.len - 1] == '\r'))
		s.len--;
	return s;
}

bool
mail_read_word(struct span *s, struct span *word)
{
	size_t begin = 0, end, next, len = s->len;

	while (len > 0 && (is_blank(s->data[len - 1]) || s->data[len - 1] == '\r'))
		len--;
	while (begin < len && is_blank(s->data[begin]))
		begin++;
	for (end = begin; end < len && !is_blank(s->data[end]);)
		end++;
	for (next = end; next < len && is_blank(s->data[next]);)
		next++;
	*word = begin < len ? span_from(s->data + begin, end - begin) : span_from(s->data, 0);
	*s = next < len ? span_from(s->data + next, len - next) : span_from(s->data, 0);
	return end > begin;
}

bool
mail_starts_with(struct span s, const char *text)
{
	/* The first bytes differ as a rule, so nothing measures the text beforehand. */
	for (size_t i = 0; text[i] != '\0'; i++) {
		if (i == s.len || upper(s.data[i]) != (uint8_t)text[i])
			return false;
	}
	return true;
}

bool
mail_word_is(struct span word, const char *text)
{
	for (size_t i = 0; i < word.len; i++) {
		if (text[i] == '\0' || upper(word.data[i]) != (uint8_t)text[i])
			return false;
	}
	return text[word.len] == '\0';
}

bool
mail_contains(struct span s, const char *text)
{
	for (; s.len > 0; s.data++, s.len--) {
		if (mail_starts_with(s, text))
			return true;
	}
	return false;
}

bool
mail_number_from_text(struct span word, uint64_t *out)
{
	uint64_t value = 0;

	if (word.len == 0)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] < '0' || word.data[i] > '9' || value > (INT64_MAX - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(word.data[i] - '0');
	}
	*out = value;
	return true;
}

/* Eight bytes with the letters of ASCII in upper case. */
static uint64_t
upper_word(uint64_t word)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t low = word & ~high;
	uint64_t from_a = low + ones * (0x80 - 'a'), behind_z = low + ones * (0x7f - 'z');

	return word - (((from_a ^ behind_z) & ~word & high) >> 2);
}

const struct mail_verb *
mail_find_verb(const struct mail_verb *verbs, struct span word)
{
	uint64_t words[MAIL_VERB_ROOM / sizeof(uint64_t)] = { 0 }, name[2];

	_Static_assert(sizeof(words) == sizeof(name), "two words");
	if (word.len == 0 || word.len >= MAIL_VERB_ROOM)
		return NULL;
	short_copy(words, word.data, word.len);
	words[0] = upper_word(words[0]);
	words[1] = upper_word(words[1]);
	for (; verbs->name[0] != '\0'; verbs++) {
		memcpy(name, verbs->name, sizeof(name));
		/* A NUL in the word must not pass for the zeros behind a name. */
		if (name[0] == words[0] && name[1] == words[1])
			return verbs->name[word.len - 1] != '\0' ? verbs : NULL;
	}
	return NULL;
}

bool
mail_starts_with_verb(struct span line, const struct mail_verb *verbs)
{
	struct span word;

	return mail_read_word(&line, &word) && mail_find_verb(verbs, word) != NULL;
}

static void
append_name(struct mail_dialogue *d, struct span text)
{
	struct mail_facts *facts = &d->facts;

	text = span_first(text, MAIL_CLIENT_NAME_MAX - (size_t)facts->client_name_len);
	if (text.len == 0)
		return;
	memcpy(d->client_name + facts->client_name_len, text.data, text.len);
	facts->client_name_len = (uint8_t)(facts->client_name_len + text.len);
}

void
mail_set_client_name(
    struct mail_dialogue *d, enum mail_name_source source, struct span name, struct span version)
{
	struct mail_facts *facts = &d->facts;

	name = mail_trim(name);
	version = mail_trim(version);
	if (name.len == 0)
		return;
	facts->client_name_len = 0;
	facts->client_name_source = (uint8_t)source;
	append_name(d, name);
	if (version.len > 0) {
		append_name(d, span_from_text(" "));
		append_name(d, version);
	}
}

/* RFC 854: how many bytes a Telnet command has that begins like this. */
static size_t
telnet_command_len(struct span text)
{
	enum { SE = 240, SB = 250, WILL = 251, DONT = 254 };
	size_t len = 2;

	if (text.len < 2 || text.data[1] < SE || text.data[1] > DONT)
		return 1;
	if (text.data[1] >= WILL)
		return 3;
	if (text.data[1] != SB)
		return 2;
	while (len < text.len && (text.data[len - 1] != MAIL_TELNET || text.data[len] != SE))
		len++;
	return len + 1;
}

bool
mail_cut_noise(struct mail_dialogue *d, enum mail_side side, struct span *text)
{
	const uint8_t *zero;

	mail_note_garbage(d, side);
	while (text->len > 0 && (text->data[0] == 0 || text->data[0] == MAIL_TELNET)) {
		size_t len = text->data[0] == 0 ? 1 : telnet_command_len(*text);

		if (!span_skip(text, len))
			*text = span_from(text->data, 0);
	}
	zero = text->len > 0 ? memchr(text->data, 0, text->len) : NULL;
	if (zero != NULL)
		*text = span_first(*text, (size_t)(zero - text->data));
	/* The first line of a message is no line of a dialogue, and ends it only as it is. */
	return !d->readers[side].lost && (side == MAIL_SERVER || d->data == MAIL_DATA_NONE);
}
