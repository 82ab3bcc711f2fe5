/*
 * content: copy on write by page. Copies cost one pointer per page, so a crash
 * of a machine with large, mostly untouched files is cheap.
 */
#include "env/sim/content.h"

#include <stdlib.h>
#include <string.h>

#include "env/sim/state.h"

enum { PAGE_BYTES = 4096 };

struct sim_page {
  uint64_t refs;
  uint8_t bytes[PAGE_BYTES];
};

static void
drop_page(sim_page *page)
{
  if (page != NULL && --page->refs == 0) {
    free(page);
  }
}

static void
drop_pages_from(sim_content *content, size_t first)
{
  for (size_t i = first; i < content->page_count; i++) {
    drop_page(content->pages[i]);
    content->pages[i] = NULL;
  }
}

void
gs_sim_content_free(sim_content *content)
{
  drop_pages_from(content, 0);
  free(content->pages);
  *content = (sim_content){0};
}

void
gs_sim_content_copy(sim_content *to, const sim_content *from)
{
  sim_content copy = *from;
  copy.pages = gs_sim_grab(from->page_count * sizeof(sim_page *));
  for (size_t i = 0; i < from->page_count; i++) {
    copy.pages[i] = from->pages[i];
    if (copy.pages[i] != NULL) {
      copy.pages[i]->refs++;
    }
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

void
gs_sim_content_read(const sim_content *content, uint64_t offset, void *data,
                    size_t size)
{
  uint8_t *to = data;
  for (size_t done = 0; done < size;) {
    run at = run_at(offset + done, size - done);
    sim_page *page =
        at.page < content->page_count ? content->pages[at.page] : NULL;
    if (page != NULL) {
      memcpy(to + done, page->bytes + at.start, at.size);
    } else {
      memset(to + done, 0, at.size);
    }
    done += at.size;
  }
}

static void
reach_page(sim_content *content, size_t page)
{
  if (page < content->page_count) {
    return;
  }
  size_t count = content->page_count * 2;
  count = count > page ? count : page + 1;
  sim_page **pages = gs_sim_grab(count * sizeof(sim_page *));
  if (content->page_count > 0) {
    memcpy(pages, content->pages, content->page_count * sizeof(sim_page *));
  }
  free(content->pages);
  content->pages = pages;
  content->page_count = count;
}

/* The page for this content alone. */
static sim_page *
own_page(sim_content *content, size_t index)
{
  reach_page(content, index);
  sim_page *page = content->pages[index];
  if (page != NULL && page->refs == 1) {
    return page;
  }
  sim_page *own = gs_sim_grab(sizeof *own);
  if (page != NULL) {
    *own = *page;
    drop_page(page);
  }
  own->refs = 1;
  content->pages[index] = own;
  return own;
}

void
gs_sim_content_write(sim_content *content, uint64_t offset, const void *data,
                     size_t size)
{
  const uint8_t *from = data;
  for (size_t done = 0; done < size;) {
    run at = run_at(offset + done, size - done);
    memcpy(own_page(content, at.page)->bytes + at.start, from + done, at.size);
    done += at.size;
  }
  if (content->size < offset + size) {
    content->size = offset + size;
  }
}

void
gs_sim_content_resize(sim_content *content, uint64_t size)
{
  if (size < content->size) {
    run end = run_at(size, PAGE_BYTES);
    if (end.page < content->page_count && content->pages[end.page] != NULL) {
      memset(own_page(content, end.page)->bytes + end.start, 0, end.size);
    }
    drop_pages_from(content, end.page + 1);
  }
  content->size = size;
}
