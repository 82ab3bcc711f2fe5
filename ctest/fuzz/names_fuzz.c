/*
 * Fuzz target of file names. The input is a name. Checked: a name that counts
 * as a store's own is the very one that its kind and number give; so no two
 * names mean the same file, and nothing else is ever deleted.
 */
#include "fuzz/target.h"
#include "store/paths.h"
#include "support/test_alloc.h"
#include "tree/manifest.h"

enum { NAME_BYTES = 64 };

static void
print_name(gs_file_kind kind, uint64_t number, gs_buffer *out)
{
  switch (kind) {
  case GS_FILE_LOCK:
    REQUIRE(gs_path_lock(out, "") != NULL);
    break;
  case GS_FILE_MANIFEST:
    gs_manifest_path(out, "", number);
    break;
  case GS_FILE_SEGMENT:
    REQUIRE(gs_path_segment(out, "", number) != NULL);
    break;
  case GS_FILE_TABLE:
    REQUIRE(gs_path_table(out, "", number) != NULL);
    break;
  case GS_FILE_BALLAST:
    REQUIRE(gs_path_ballast(out, "") != NULL);
    break;
  case GS_FILE_JOURNAL:
    REQUIRE(gs_path_journal(out, "", number) != NULL);
    break;
  case GS_FILE_FOREIGN:
    break;
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char name[NAME_BYTES];
  if (size >= sizeof name) {
    return 0;
  }
  memcpy(name, data, size);
  name[size] = '\0';
  uint64_t number = 0;
  uint64_t again = 0;
  gs_file_kind kind = gs_path_kind(name, &number);
  REQUIRE(gs_manifest_parse_name(name, &again) == (kind == GS_FILE_MANIFEST));
  if (kind == GS_FILE_FOREIGN) {
    return 0;
  }
  test_alloc heap;
  test_alloc_init(&heap);
  gs_buffer text;
  gs_buffer_init(&text, &heap.base);
  print_name(kind, number, &text);
  const char *printed = (const char *)text.data + 1; /* behind the "/" */
  REQUIRE(strcmp(printed, name) == 0);
  gs_buffer_deinit(&text);
  REQUIRE(heap.live_bytes == 0);
  return 0;
}
