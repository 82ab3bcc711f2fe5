/*
 * content: copy on write, first the table of pages, then the page. A copy costs
 * one count, whatever the size of the file; the first write to either of two
 * copies costs a pointer for each page of the file and the page it changes.
 * Zeros written where no page is leave none, so that prepared files are cheap.
 */
#include "env/sim/content.h"

#include <stdlib.h>
#include <string.h>

#include "env/sim/state.h"

enum { PAGE_BYTES = 4096 };

typedef struct page {
  uint64_t refs; /* tables that point here */
  uint8_t bytes[PAGE_BYTES];
} page;

struct sim_pages {
  uint64_t refs; /* contents that point here */
  size_t count;
  page *items[]; /* NULL: zeros */
};

static void
drop_page(page *dropped)
{
  if (dropped != NULL && --dropped->refs == 0) {
    free(dropped);
  }
}

static void
drop_table(sim_pages *table)
{
  if (table == NULL || --table->refs > 0) {
    return;
  }
  for (size_t i = 0; i < table->count; i++) {
    drop_page(table->items[i]);
  }
  free(table);
}

void
gs_sim_content_free(sim_content *content)
{
  drop_table(content->pages);
  *content = (sim_content){0};
}

void
gs_sim_content_copy(sim_content *to, const sim_content *from)
{
  sim_content copy = *from;
  if (copy.pages != NULL) {
    copy.pages->refs++;
  }
  gs_sim_content_free(to);
  *to = copy;
}

/* A run of bytes within one page. */
typedef struct run {
  size_t page;
  size_t start;
  size_t size;
} run;

static run
run_at(uint64_t offset, size_t left)
{
  size_t start = (size_t)(offset % PAGE_BYTES);
  size_t room = PAGE_BYTES - start;
  return (run){
      .page = (size_t)(offset / PAGE_BYTES),
      .start = start,
      .size = left < room ? left : room,
  };
}

static page *
page_at(const sim_content *content, size_t index)
{
  const sim_pages *table = content->pages;
  return table != NULL && index < table->count ? table->items[index] : NULL;
}

void
gs_sim_content_read(const sim_content *content, uint64_t offset, void *data,
                    size_t size)
{
  uint8_t *to = data;
  for (size_t done = 0; done < size;) {
    run at = run_at(offset + done, size - done);
    const page *from = page_at(content, at.page);
    if (from != NULL) {
      memcpy(to + done, from->bytes + at.start, at.size);
    } else {
      memset(to + done, 0, at.size);
    }
    done += at.size;
  }
}

static size_t
grown_count(size_t count, size_t wanted)
{
  if (wanted <= count) {
    return count;
  }
  return count * 2 > wanted ? count * 2 : wanted;
}

/* A table for this content alone, with room for that many pages. */
static sim_pages *
own_table(sim_content *content, size_t wanted)
{
  sim_pages *table = content->pages;
  size_t count = table == NULL ? 0 : table->count;
  if (table != NULL && table->refs == 1 && wanted <= count) {
    return table;
  }
  size_t grown = grown_count(count, wanted);
  sim_pages *own = gs_sim_grab(sizeof *own + grown * sizeof own->items[0]);
  own->refs = 1;
  own->count = grown;
  for (size_t i = 0; i < count; i++) {
    own->items[i] = table->items[i];
    if (own->items[i] != NULL) {
      own->items[i]->refs++;
    }
  }
  drop_table(table);
  content->pages = own;
  return own;
}

/* The page for this content alone. */
static page *
own_page(sim_content *content, size_t index)
{
  page **place = &own_table(content, index + 1)->items[index];
  if (*place != NULL && (*place)->refs == 1) {
    return *place;
  }
  page *own = gs_sim_grab(sizeof *own);
  if (*place != NULL) {
    memcpy(own->bytes, (*place)->bytes, PAGE_BYTES);
    drop_page(*place);
  }
  own->refs = 1;
  *place = own;
  return own;
}

static bool
is_zero(const uint8_t *bytes, size_t size)
{
  return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

void
gs_sim_content_write(sim_content *content, uint64_t offset, const void *data,
                     size_t size)
{
  const uint8_t *from = data;
  for (size_t done = 0; done < size;) {
    run at = run_at(offset + done, size - done);
    if (page_at(content, at.page) != NULL || !is_zero(from + done, at.size)) {
      memcpy(own_page(content, at.page)->bytes + at.start, from + done,
             at.size);
    }
    done += at.size;
  }
  if (content->size < offset + size) {
    content->size = offset + size;
  }
}

/* Removes the pages from the first on. */
static void
cut_pages(sim_content *content, size_t first)
{
  size_t count = content->pages == NULL ? 0 : content->pages->count;
  for (size_t i = first; i < count; i++) {
    if (content->pages->items[i] != NULL) {
      page **place = &own_table(content, count)->items[i];
      drop_page(*place);
      *place = NULL;
    }
  }
}

void
gs_sim_content_resize(sim_content *content, uint64_t size)
{
  if (size < content->size) {
    run end = run_at(size, PAGE_BYTES);
    cut_pages(content, end.page + (end.start > 0));
    if (page_at(content, end.page) != NULL) {
      memset(own_page(content, end.page)->bytes + end.start, 0, end.size);
    }
  }
  content->size = size;
}
