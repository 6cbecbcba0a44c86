/*
 * mail_script - dialogues as tables, for the tests of the mail module.
 *
 * A script is a list of steps; what is known at its end is compared as one line of text.  Every
 * script is fed in whole steps, byte by byte, and with one cut at each place, and must give the
 * same each time; most of them also with all of one side before the other.
 */
#ifndef TLSTALLY_TESTS_MAIL_SCRIPT_H
#define TLSTALLY_TESTS_MAIL_SCRIPT_H

#include <stdio.h>

#include "mail/dialogue.h"
#include "suite.h"

#define SCRIPT_STEPS_MAX 40
#define SCRIPT_TEXT_LEN 512

/* What TLS looks like here.  A script's other bytes do not hold these two. */
#define SCRIPT_TLS "\x16\x03\x01\x02\x00"

/* A gap's text is what was lost; NULL: a byte that does not matter. */
enum step_kind { END, C, S, GAP_C, GAP_S };

struct step {
	enum step_kind kind;
	const char *text;
};

/* In which orders of the two sides a script tells the same. */
enum script_order { IN_ORDER, ANY_ORDER, OR_SERVER_FIRST };

struct script {
	const char *name;
	enum script_order order;
	struct step steps[SCRIPT_STEPS_MAX];
	const char *facts;
};

struct script_run {
	struct mail_dialogue d;
	size_t fed[2]; /* taken by the dialogue, by side */
	bool tls[2];
};

static void
script_feed(struct script_run *run, enum mail_side side, const char *text, size_t len)
{
	/* A copy of just the right size, so that a sanitizer sees the first byte past it. */
	char *copy = malloc(len + (len == 0));
	size_t taken;

	ck_assert_ptr_nonnull(copy);
	for (size_t i = 0; i < len; i++)
		copy[i] = text[i];
	taken = run->tls[side] ? 0 : mail_dialogue_feed(&run->d, side, span_from(copy, len));
	free(copy);
	ck_assert_uint_le(taken, len);
	run->fed[side] += taken;
	run->tls[side] |= taken < len;
}

static enum mail_side
script_side(const struct step *step)
{
	return step->kind == C || step->kind == GAP_C ? MAIL_CLIENT : MAIL_SERVER;
}

static size_t
script_step_len(const struct step *step)
{
	return step->text != NULL ? strlen(step->text) : 1;
}

/* Feeds one step in pieces of `piece` bytes, with one more cut at `cut`. */
static void
script_step(struct script_run *run, const struct step *step, size_t piece, size_t cut)
{
	enum mail_side side = script_side(step);
	size_t len, done = 0;

	len = script_step_len(step);
	if (step->kind == GAP_C || step->kind == GAP_S) {
		mail_dialogue_gap(&run->d, side, len);
		return;
	}
	while (done < len) {
		size_t n = len - done < piece ? len - done : piece;

		if (done < cut && done + n > cut)
			n = cut - done;
		script_feed(run, side, step->text + done, n);
		run->d.offset += (uint32_t)n;
		done += n;
	}
}

static void
script_add_word(char out[SCRIPT_TEXT_LEN], bool present, const char *word)
{
	size_t len = strlen(out);

	if (present)
		snprintf(out + len, SCRIPT_TEXT_LEN - len, "%s ", word);
}

static void
script_describe(const struct script_run *run, char out[SCRIPT_TEXT_LEN])
{
	const struct mail_facts *f = &run->d.facts;
	size_t len;

	out[0] = '\0';
	script_add_word(out, f->greeting, "greeting");
	script_add_word(out, f->starttls_asked, "asked");
	script_add_word(out, f->starttls_granted, "granted");
	script_add_word(out, f->starttls_refused, "refused");
	script_add_word(out, f->starttls_granted && f->granted_in_vain, "in_vain");
	script_add_word(out, f->login, "login");
	script_add_word(out, f->logged_in, "logged_in");
	script_add_word(out, f->quit, "quit");
	script_add_word(out, f->garbage, "garbage");
	script_add_word(out, run->tls[MAIL_CLIENT], "tls:C");
	script_add_word(out, run->tls[MAIL_SERVER], "tls:S");
	len = strlen(out);
	snprintf(out + len, SCRIPT_TEXT_LEN - len, "%u %s%.*s", (unsigned)f->command_count,
	    f->client_name_source == MAIL_NAME_EHLO      ? "ehlo="
	    : f->client_name_source == MAIL_NAME_IMAP_ID ? "id="
							 : "",
	    (int)f->client_name_len, run->d.client_name);
}

/* Where a side's TLS begins, counted in its own bytes. */
static size_t
script_tls_offset(const struct script *script, enum step_kind side)
{
	size_t offset = 0;

	for (const struct step *step = script->steps; step->kind != END; step++) {
		const char *tls;

		if (step->kind != side)
			continue;
		tls = strstr(step->text, "\x16\x03");
		if (tls != NULL)
			return offset + (size_t)(tls - step->text);
		offset += strlen(step->text);
	}
	return offset;
}

static bool
script_step_is_in_pass(const struct step *step, int pass)
{
	return pass == 0 || (script_side(step) == MAIL_CLIENT) == (pass == 1);
}

/* Each step is sent when all steps before it have been received, in whatever order they are fed. */
static void
script_set_offsets(struct mail_dialogue *d, const struct script *script, const struct step *at)
{
	d->offset = d->received = 0;
	for (const struct step *step = script->steps; step != at; step++) {
		uint32_t *sum = script_side(step) == script_side(at) ? &d->offset : &d->received;

		*sum += (uint32_t)script_step_len(step);
	}
}

/* `order`: passes over the script; 0 takes all steps, 1 the client's, 2 the server's. */
static void
script_run(const struct script *script, enum protocol protocol, const char *order, size_t piece,
    size_t cut)
{
	struct script_run run = { .fed = { 0, 0 } };
	char facts[SCRIPT_TEXT_LEN];

	mail_dialogue_init(&run.d, protocol);
	for (; *order != '\0'; order++) {
		size_t offset = 0;

		for (const struct step *step = script->steps; step->kind != END; step++) {
			if (!script_step_is_in_pass(step, *order - '0'))
				continue;
			script_set_offsets(&run.d, script, step);
			script_step(&run, step, piece, cut > offset ? cut - offset : 0);
			offset += step->text != NULL ? strlen(step->text) : 0;
		}
	}
	script_describe(&run, facts);
	ck_assert_msg(strcmp(facts, script->facts) == 0,
	    "%s (pieces of %zu, cut at %zu): %s, not %s", script->name, piece, cut, facts,
	    script->facts);
	ck_assert_msg(run.fed[MAIL_CLIENT] == script_tls_offset(script, C) &&
			  run.fed[MAIL_SERVER] == script_tls_offset(script, S),
	    "%s: TLS at %zu and %zu", script->name, run.fed[MAIL_CLIENT], run.fed[MAIL_SERVER]);
}

static void
script_check(const struct script *script, enum protocol protocol)
{
	static const char *const orders[] = { "0", "21", "12" };
	size_t order_count = script->order == ANY_ORDER ? 3 : script->order == IN_ORDER ? 1 : 2;
	size_t len = 0;

	for (const struct step *step = script->steps; step->kind != END; step++)
		len += step->text != NULL ? strlen(step->text) : 0;
	for (size_t i = 0; i < order_count; i++) {
		script_run(script, protocol, orders[i], SIZE_MAX, 0);
		for (size_t piece = 1; piece <= 3; piece++)
			script_run(script, protocol, orders[i], piece, 0);
		for (size_t cut = 1; cut < len; cut++)
			script_run(script, protocol, orders[i], SIZE_MAX, cut);
	}
}

#endif
