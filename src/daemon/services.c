#include "daemon/services.h"

#include <stdlib.h>

#include "base/xalloc.h"

#include "base/banned.h"

void
services_replace(struct services *s, struct switch_off *list)
{
	s->retired = xreallocarray(s->retired, s->retired_count + 1, sizeof(struct switch_off *));
	s->retired[s->retired_count++] = s->current;
	s->current = list;
}

void
services_release_retired(struct services *s)
{
	for (size_t i = 0; i < s->retired_count; i++)
		switch_off_free(s->retired[i]);
	free(s->retired);
	s->retired = NULL;
	s->retired_count = 0;
}

void
services_release(struct services *s)
{
	services_release_retired(s);
	switch_off_free(s->current);
	*s = (struct services){ 0 };
}
