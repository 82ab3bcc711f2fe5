/*
 * log_check: every frame, every batch in them, and the end.
 */
#include "store/log_check.h"

#include "data/batch.h"
#include "store/report.h"
#include "wal/reader.h"

static gs_status
object(const gs_log_check *a, gs_verify_report *report, gs_file_report *file,
       gs_file_state state, uint64_t offset, const char *text, gs_error *err)
{
  gs_error what;
  gs_status status = GS_FAIL(&what, GS_CORRUPT, "'%s': %s at byte %llu",
                             file->name, text, (unsigned long long)offset);
  status = gs_error_at(&what, status, a->path);
  GS_IGNORE(gs_error_offset(&what, status, offset), "it is what is reported");
  return gs_report_problem(report, file, state, &what, err);
}

/* Whether the payload is what a writer writes. */
static gs_status
check_batch(const gs_frame_info *info, gs_slice payload, gs_error *err)
{
  gs_batch_reader reader;
  gs_batch_item item = GS_BATCH_META;
  gs_entry entry;
  gs_status status =
      gs_batch_read_begin(&reader, payload, info->first_seq, err);
  while (status == GS_OK && item != GS_BATCH_END) {
    status = gs_batch_read(&reader, &item, &entry, err);
  }
  if (status == GS_OK && reader.seq != info->first_seq + info->entry_count) {
    status = GS_FAIL(err, GS_CORRUPT, "a batch has another number of entries");
  }
  return status;
}

static gs_status
check_frame(const gs_log_check *a, gs_verify_report *report,
            gs_file_report *file, const gs_frame_info *info, gs_slice payload,
            gs_error *err)
{
  if (info->type == GS_FRAME_EDIT) {
    file->entries++;
  }
  if (info->type != GS_FRAME_BATCH) {
    return GS_OK;
  }
  file->entries += info->entry_count;
  gs_error what;
  gs_status status = check_batch(info, payload, &what);
  return status == GS_OK ? GS_OK
                         : object(a, report, file, GS_STATE_DAMAGED,
                                  info->offset, what.message, err);
}

/* Bits that were put right in memory are wrong on the medium. */
static gs_status
check_frames(const gs_log_check *a, gs_verify_report *report,
             gs_file_report *file, gs_log_reader *reader, gs_error *err)
{
  gs_frame_info info;
  gs_slice payload;
  gs_status status = GS_OK;
  uint64_t fixed = gs_log_reader_repaired_bits(reader);
  if (fixed > 0) {
    status = object(a, report, file, GS_STATE_DAMAGED, 0,
                    "one bit is wrong in the header page", err);
  }
  while (status == GS_OK && gs_log_next(reader, &info, &payload)) {
    status = check_frame(a, report, file, &info, payload, err);
    if (status == GS_OK && gs_log_reader_repaired_bits(reader) > fixed) {
      fixed = gs_log_reader_repaired_bits(reader);
      status = object(a, report, file, GS_STATE_DAMAGED, info.offset,
                      "one bit is wrong in the frame", err);
    }
  }
  return status;
}

static gs_status
check_end(const gs_log_check *a, gs_verify_report *report, gs_file_report *file,
          const gs_log_reader *reader, gs_error *err)
{
  uint64_t at;
  uint64_t end = gs_log_reader_offset(reader);
  bool is_headless = gs_log_reader_header(reader) == NULL;
  bool is_used = gs_log_reader_used_bytes(reader) > 0;
  if (is_headless && is_used) {
    bool was_durable = gs_log_find_durable(reader, 0, &at);
    return object(a, report, file,
                  was_durable ? GS_STATE_DAMAGED : GS_STATE_TORN, 0,
                  "the header page is not whole", err);
  }
  if (gs_log_reader_end(reader) != GS_LOG_TORN) {
    return GS_OK;
  }
  return gs_log_find_evidence(reader, &at)
             ? object(a, report, file, GS_STATE_DAMAGED, end,
                      "a later frame attests that more had been written", err)
             : object(a, report, file, GS_STATE_TORN, end,
                      "what follows is no frame", err);
}

gs_status
gs_log_check_file(const gs_log_check *a, gs_verify_report *report,
                  gs_file_report *file, gs_error *err)
{
  gs_log_reader *reader = NULL;
  gs_error what;
  gs_status status =
      a->listed != NULL
          ? gs_log_open_listed(a->env, a->path, a->store_id, a->listed, &reader,
                               &what)
          : gs_log_open(a->env, a->path, a->store_id, &reader, &what);
  if (status != GS_OK) {
    return gs_report_judge(report, file, status, a->path, &what, err);
  }
  status = check_frames(a, report, file, reader, err);
  if (status == GS_OK) {
    status = check_end(a, report, file, reader, err);
  }
  gs_log_reader_close(reader);
  return status;
}
