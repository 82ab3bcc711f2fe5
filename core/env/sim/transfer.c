/*
 * transfer: reading and writing, with what faults do to either.
 */
#include <errno.h>

#include "env/sim/call.h"

static size_t
least(size_t a, size_t b)
{
  return a < b ? a : b;
}

/* Bytes that the operation may transfer. */
static size_t
limit_of(const sim_verdict *verdict)
{
  return verdict->effect == GS_SIM_SHORT && verdict->amount < SIZE_MAX
             ? (size_t)verdict->amount
             : SIZE_MAX;
}

static sim_call
begin_at(gs_file *file, gs_sim_op op, uint64_t offset, size_t size)
{
  sim_call call = gs_sim_begin(gs_sim_of(file->env), op, file->path);
  call.has_range = true;
  call.offset = offset;
  call.size = size;
  return call;
}

/* ---- reading ------------------------------------------------------------------ */

static void
flip_bit(uint8_t *bytes, uint64_t bit)
{
  bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ (1U << bit % 8));
}

static int64_t
read_some(const sim_node *node, uint64_t offset, void *data, size_t size,
          const sim_verdict *verdict)
{
  const sim_content *content = &node->current.content;
  if (verdict->os_errno != 0) {
    return -(int64_t)verdict->os_errno;
  }
  if (offset > INT64_MAX) {
    return -EINVAL;
  }
  if (offset >= content->size) {
    return 0;
  }
  size_t got = least(least(size, limit_of(verdict)), content->size - offset);
  if (verdict->effect == GS_SIM_STALE) {
    content = &node->durable.content;
  }
  gs_sim_content_read(content, offset, data, got);
  if (verdict->effect == GS_SIM_FLIP && got > 0) {
    flip_bit(data, verdict->amount % (got * 8));
  }
  return (int64_t)got;
}

int64_t
gs_sim_file_read(gs_file *file, uint64_t offset, void *data, size_t size)
{
  const sim_node *node = ((sim_file *)file)->node;
  sim_call call = begin_at(file, GS_SIM_READ, offset, size);
  int64_t got = read_some(node, offset, data, size, &call.verdict);
  return gs_sim_end_transfer(gs_sim_of(file->env), &call, got);
}

/* ---- writing ------------------------------------------------------------------ */

/* The file gets the size that the writer expects, the bytes go elsewhere. */
static void
write_astray(gs_sim *sim, sim_node *node, uint64_t offset, const void *data,
             size_t size, uint64_t amount)
{
  if (offset + size > node->current.content.size) {
    gs_sim_node_resize(sim, node, offset + size);
  }
  if (amount <= SIM_FILE_BYTES - size - offset) {
    gs_sim_node_write(sim, node, offset + amount, data, size);
  }
}

static int64_t
write_some(gs_file *file, uint64_t offset, const void *data, size_t size,
           const sim_verdict *verdict)
{
  gs_sim *sim = gs_sim_of(file->env);
  sim_node *node = ((sim_file *)file)->node;
  if (verdict->os_errno != 0) {
    return -(int64_t)verdict->os_errno;
  }
  if (!((sim_file *)file)->is_writable) {
    return -EBADF;
  }
  if (offset > SIM_FILE_BYTES || size > SIM_FILE_BYTES - offset) {
    return offset > INT64_MAX ? -EINVAL : -EFBIG;
  }
  size_t put = least(size, limit_of(verdict));
  uint64_t end = gs_sim_file_room(file, offset + put);
  if (end < offset + put) {
    put = end > offset ? (size_t)(end - offset) : 0;
    if (put == 0) {
      return -ENOSPC;
    }
  }
  if (put > 0 && verdict->effect == GS_SIM_MISDIRECT) {
    write_astray(sim, node, offset, data, put, verdict->amount);
  } else if (put > 0) {
    gs_sim_node_write(sim, node, offset, data, put);
  }
  return (int64_t)put;
}

int64_t
gs_sim_file_write(gs_file *file, uint64_t offset, const void *data, size_t size)
{
  sim_call call = begin_at(file, GS_SIM_WRITE, offset, size);
  int64_t put = write_some(file, offset, data, size, &call.verdict);
  return gs_sim_end_transfer(gs_sim_of(file->env), &call, put);
}
