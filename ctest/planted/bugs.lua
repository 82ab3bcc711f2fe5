-- Faults that other stores have had, one for each class of them, as edits of
-- this engine. Each has to be caught by a test; `make planted` says by which.
--
--   number     of the class; the classes are named in `class`
--   fault      what the edited engine does wrong
--   file       the source, and in it
--   find       text that stands there exactly once, and
--   replace    what is put in its place
--   also       more edits of the same fault: { file=, find=, replace= }
--   caught_by  the suite that is asked first
--   scale      of its families, where that of every day is too small
--
-- Where an engine of this kind cannot have a class (no range deletes, no filter
-- functions), another fault has its number.

local CRASH = "ctest/store/crash_test"
local FAULT = "ctest/store/fault_test"
local MODEL = "ctest/store/model_test"
local HOSTILE = "spec/torture/hostile_policy_spec.lua"

return {
  { number = 1, class = "a torn tail and damage taken for each other",
    fault = "damage of a synced log passes for a torn tail",
    file = "core/wal/replay.c",
    find = "gs_status status = judge_by_segments(r, err);",
    replace = "gs_status status = GS_OK;",
    caught_by = "spec/torture/structure_spec.lua" },

  { number = 2, class = "a torn append accepted as data",
    fault = "the checksum of a frame's payload is not compared",
    file = "core/wal/frame.c",
    find = [[
  return gs_get_u64(frame + FRAME_PAYLOAD_CHECKSUM) ==
             gs_checksum(body, padded, seed) &&
         gs_get_u32(frame + FRAME_FOLD) == fold_of(body, padded) &&
         all_zeros(]],
    replace = "  return all_zeros(",
    caught_by = CRASH, scale = 0.25 },

  { number = 3, class = "a break in the middle of a log",
    fault = "the log goes on behind a write that failed",
    file = "core/wal/writer.c",
    find = [[
  if (status != GS_OK) {
    gs_log_poison(writer);
  }
  return status;
}

gs_status
gs_log_start(]],
    replace = [[
  if (status != GS_OK) {
    writer->written_bytes += writer->staging.size;
  }
  return status;
}

gs_status
gs_log_start(]],
    also = { {
      file = "core/store/commit.c",
      find = "    if (status != GS_OK && !gs_wal_is_broken(store)) {",
      replace = "    if (status != GS_OK) {",
    } },
    caught_by = FAULT, scale = 0.25 },

  { number = 4, class = "a hole between logs",
    fault = "a sync leaves out the segments before the present one",
    file = "core/store/wal.c",
    find = "gs_store_segment *from = wal->oldest;",
    replace = "gs_store_segment *from = wal->active;",
    caught_by = CRASH, scale = 0.25 },

  { number = 5, class = "stale records of a log come back",
    fault = "a frame is valid in any log and at any place",
    file = "core/wal/frame.c",
    find = "return gs_checksum_seed(identity.salt, identity.number, offset);",
    replace = "return gs_checksum_seed(0, 0, 0);",
    caught_by = "ctest/wal/frame_test" },

  { number = 6, class = "a recovered tail that is lost again",
    fault = "what recovery found is served from memory only",
    file = "core/store/recover.c",
    find = "status = publish(r, store->is_readonly, err);",
    replace = "status = publish(r, true, err);",
    also = { {
      file = "core/store/recover.c",
      find = "return status != GS_OK || is_settled ? status "
        .. ": make_durable(r, err);",
      replace = "return status;",
    } },
    caught_by = CRASH, scale = 0.25 },

  { number = 7, class = "a failed sync tried again",
    fault = "a sync that failed is repeated, and its success believed",
    file = "core/env/file.c",
    find = [[
    os_errno = file->env->ops->sync_data(file);
  } while (os_errno == EINTR);
]],
    replace = [[
    os_errno = file->env->ops->sync_data(file);
  } while (os_errno == EINTR);
  if (os_errno == EIO) {
    os_errno = file->env->ops->sync_data(file);
  }
]],
    caught_by = "spec/torture/fsync_spec.lua" },

  { number = 8, class = "an edit behind a manifest's failed edit",
    fault = "a manifest goes on after a failed write or sync",
    file = "core/tree/manifest.c",
    find = [[
  if (status != GS_OK) {
    manifest->is_doubtful = true;
    return status;
  }
  mark(manifest);
]],
    replace = [[
  if (status != GS_OK) {
    return status;
  }
  mark(manifest);
]],
    also = { {
      file = "core/wal/writer.c",
      find = "  if (!gs_log_is_poisoned(writer)) {",
      replace = "  if (writer->kind == GS_LOG_MANIFEST ||\n"
        .. "      !gs_log_is_poisoned(writer)) {",
    } },
    caught_by = "spec/torture/fsync_spec.lua" },

  { number = 9, class = "an edit that failed turns up later",
    fault = "tables named by a doubtful edit are deleted",
    file = "core/store/flush.c",
    find = "if (change.is_durable || is_doubtful) {",
    replace = "if (change.is_durable) {",
    caught_by = FAULT, scale = 0.25 },

  { number = 10, class = "a file without its name",
    fault = "no sync of the directory after a segment was made",
    file = "core/store/wal_prepare.c",
    find = [[
  status = gs_env_sync_dir(store->env, store->path, err);
  if (status == GS_OK) {
    status = register_segment(]],
    replace = [[
  if (status == GS_OK) {
    status = register_segment(]],
    caught_by = CRASH, scale = 0.25 },

  { number = 11, class = "a store made anew over its data",
    fault = "tables without a manifest do not hinder creation",
    file = "core/store/admission.c",
    find = "  if (found->data_count > 0) {",
    replace = "  if (false) {",
    caught_by = "ctest/store/open_test" },

  { number = 12, class = "a tombstone dropped above older data",
    fault = "tombstones go one run too early",
    file = "core/tree/plan_bottom.c",
    find = "for (size_t i = (position + 1) / 2; i < version->run_count; i++) {",
    replace = "for (size_t i = (position + 1) / 2 + 1; "
      .. "i < version->run_count;\n       i++) {",
    caught_by = MODEL },

  { number = 13, class = "one key in two tables of a run",
    fault = "a table may be cut between versions of a key",
    file = "core/store/output.c",
    find = [[
  if (output->writer == NULL ||
      gs_slice_equal(gs_buffer_slice(&output->last_key), entry->key)) {
    return false;
  }
]],
    replace = [[
  if (output->writer == NULL) {
    return false;
  }
]],
    caught_by = MODEL },

  { number = 14, class = "chosen inputs that break the order",
    fault = "the path of a plan is looked at from the second run on",
    file = "core/tree/plan_path.c",
    find = "  for (size_t run = inputs->top + 1;\n       2 * run",
    replace = "  for (size_t run = inputs->top + 2;\n       2 * run",
    caught_by = MODEL },

  { number = 15, class = "two jobs with overlapping inputs",
    fault = "claims of other jobs are not asked",
    file = "core/store/compaction.c",
    find = "    if (job->claim != NULL && job != except) {",
    replace = "    if (false) {",
    caught_by = "ctest/store/submit_test" },

  { number = 16, class = "a flush out of age order",
    fault = "the newest sealed memtable is flushed first",
    file = "core/store/flush.c",
    find = "*oldest = view->memtables[view->memtable_count - 1];",
    replace = "*oldest = view->memtables[1];",
    caught_by = FAULT, scale = 0.25 },

  { number = 17, class = "a snapshot ignored",
    fault = "a merge drops versions that snapshots see",
    file = "core/store/merge_job.c",
    find = "gs_drop_init(&m->drop, m->snapshots, m->snapshot_count, now_ms);",
    replace = "gs_drop_init(&m->drop, m->snapshots, 0, now_ms);",
    caught_by = MODEL },

  { number = 18, class = "sequence numbers zeroed",
    fault = "a merge gives what it keeps the least number",
    file = "core/store/merge_job.c",
    find = "status = gs_output_add(&m->output, &entries[i], is_cut, err);",
    replace = [[
    gs_entry entry = entries[i];
    entry.seq = m->snapshot_count == 0 ? 1 : entry.seq;
    status = gs_output_add(&m->output, &entry, is_cut, err);]],
    caught_by = MODEL },

  { number = 19, class = "a sequence number used twice",
    fault = "numbers that a crash took back are given out again",
    file = "core/store/recover.c",
    find = "r->replayed.last_seq = burnt_seq(r);",
    replace = "(void)burnt_seq;",
    caught_by = CRASH, scale = 0.25 },

  { number = 20, class = "seen before it is sure",
    fault = "a write is visible before the device has it",
    file = "core/store/commit.c",
    find = [[
    store->awaited_frame = *wait_frame;
  } else {
]],
    replace = [[
    store->awaited_frame = *wait_frame;
  }
  {
]],
    caught_by = FAULT, scale = 0.25 },

  { number = 21, class = "a filter that says no",
    fault = "full buckets of the point index do not say so",
    file = "core/sst/point_index.c",
    find = "    bucket[GS_BUCKET_COUNT_AT] |= GS_BUCKET_OVERFLOW;\n",
    replace = "",
    also = { {
      file = "core/sst/tail.c",
      find = "if (!gs_point_index_holds_all(&index, tail->hashes, "
        .. "tail->locators, count)) {",
      replace = "if (false) {",
    } },
    caught_by = MODEL },

  { number = 22, class = "an order that does not agree with itself",
    fault = "a search in a block passes the key it looks for",
    file = "core/sst/block.c",
    find = "if (gs_slice_compare(key_of(block, middle), key) < 0) {",
    replace = "if (gs_slice_compare(key_of(block, middle), key) <= 0) {",
    caught_by = "spec/torture/model_spec.lua" },

  { number = 23, class = "a full disk in flush or merge",
    fault = "a table goes on after a write the disk had no room for",
    file = "core/sst/sink.c",
    find = "  if (status == GS_OK) {\n    sink->written += bytes->size;",
    replace = "  if (status == GS_FULL) {\n    status = GS_OK;\n  }\n"
      .. "  if (status == GS_OK) {\n    sink->written += bytes->size;",
    caught_by = FAULT, scale = 0.25 },

  { number = 24, class = "a read error taken for content",
    fault = "a read that fails counts as the end of the file",
    file = "core/env/file.c",
    find = [[
    if (n < 0) {
      return fail_at(err, (int)-n, "read", file, offset + done);
    }
    if (n == 0) {
]],
    replace = [[
    if (n < 0 && n != -EIO) {
      return fail_at(err, (int)-n, "read", file, offset + done);
    }
    if (n <= 0) {
]],
    caught_by = FAULT, scale = 0.25 },

  { number = 25, class = "a file deleted while it is needed",
    fault = "a table is deleted when the tree gives it up",
    file = "core/store/install.c",
    find = "        atomic_store(&table->is_obsolete, true);\n",
    replace = [[
        atomic_store(&table->is_obsolete, true);
        extern const char *gs_path_table(gs_buffer *, const char *, uint64_t);
        gs_store *store = table->owner;
        gs_buffer path;
        gs_buffer_init(&path, store->alloc);
        if (gs_path_table(&path, store->path, table->meta.id) != NULL) {
          GS_IGNORE(gs_env_remove(store->env, (const char *)path.data, NULL),
                    "gone or not");
        }
        gs_buffer_deinit(&path);
]],
    caught_by = "ctest/store/compaction_test" },

  { number = 26, class = "a log removed that was needed",
    fault = "segments go before the manifest says that they may",
    file = "core/store/flush.c",
    find = "  gs_wal_name_flushed(store, f->stats.max_seq, edit);\n",
    replace = "  gs_wal_name_flushed(store, f->stats.max_seq, edit);\n"
      .. "  gs_wal_drop_named(store);\n",
    caught_by = CRASH, scale = 0.25 },

  { number = 27, class = "a write beside a flush",
    fault = "a memtable sealed during a flush is forgotten at its end",
    file = "core/store/install.c",
    find = "if (view->memtables[i] != change->flushed && "
      .. "change->only == NULL) {",
    replace = "if (view->memtables[i] != change->flushed && i == 0) {",
    caught_by = MODEL },

  { number = 28, class = "a clock that goes back",
    fault = "the store's clock follows the machine's backward",
    file = "core/store/clock.c",
    find = [[
  gs_clock_raise(store, gs_env_wall_ms(store->env));
  return atomic_load_explicit(&store->clock_ms, memory_order_relaxed);
]],
    replace = [[
  gs_clock_raise(store, gs_env_wall_ms(store->env));
  return gs_env_wall_ms(store->env);
]],
    caught_by = "spec/torture/time_spec.lua" },

  { number = 29, class = "lengths that overflow",
    fault = "the length of a value in a batch is believed",
    file = "core/data/batch.c",
    find = [[
  if (rest->size < head || rest->size - head < key_size ||
      rest->size - head - key_size < value_size) {
]],
    replace = [[
  if (rest->size < head || rest->size - head < key_size) {
]],
    caught_by = "ctest/fuzz/batch_replay" },

  { number = 30, class = "two writers of one store",
    fault = "the only lock is one that any close of the file drops",
    file = "core/env/posix/lock.c",
    find = "  if (fcntl(fd, F_OFD_SETLK, &whole) == 0) {",
    replace = "  if (fcntl(fd, F_SETLK, &whole) == 0) {",
    also = { {
      file = "core/env/posix/lock.c",
      find = "  return flock(fd, LOCK_EX | LOCK_NB) != 0 && "
        .. "errno == EWOULDBLOCK ? EWOULDBLOCK",
      replace = "  return false ? EWOULDBLOCK",
    } },
    caught_by = "ctest/env/posix_lock_test" },

  { number = 31, class = "a short write",
    fault = "what a short write left out is not written",
    file = "core/env/file.c",
    find = [[
    done += (size_t)n;
  }
  return GS_OK;
}

gs_status
gs_file_allocate(]],
    replace = [[
    done = size;
  }
  return GS_OK;
}

gs_status
gs_file_allocate(]],
    caught_by = "spec/torture/interruption_spec.lua" },

  { number = 32, class = "a fatal signal from mapped memory",
    fault = "a log is mapped beyond its end",
    file = "core/env/posix/file.c",
    find = "if (size > allocated || size > SIZE_MAX) {",
    replace = "if (size > SIZE_MAX) {",
    caught_by = "ctest/env/posix_file_test" },

  { number = 33, class = "a block in the wrong place",
    fault = "checksums do not depend on the place",
    file = "core/code/hash.c",
    find = "uint64_t place[3] = {salt, file, offset};",
    replace = "uint64_t place[3] = {salt, file, 0};",
    caught_by = "spec/torture/golden_spec.lua" },

  { number = 34, class = "a file replaced by another",
    fault = "a table is not compared with what the manifest says",
    file = "core/sst/table_open.c",
    find = "if (expected != NULL && !gs_table_meta_equal(&meta, expected)) {",
    replace = "if (false) {",
    also = { {
      file = "core/sst/table_open.c",
      find = "  if (expected != NULL && expected->file_bytes != *size) {",
      replace = "  if (false) {",
    } },
    caught_by = "ctest/sst/table_open_test" },

  { number = 35, class = "a batch in two parts",
    fault = "a batch's note lasts before its entries do",
    file = "core/store/flush.c",
    find = "gs_edit_set_note(edit, gs_buffer_slice(&f->note.text), "
      .. "f->note.seq);",
    replace = "gs_edit_set_note(edit, gs_buffer_slice(&store->note.text),\n"
      .. "                     store->note.seq);",
    caught_by = CRASH, scale = 0.25 },

  { number = 36, class = "an entry changed by a merge",
    fault = "the dropping rules lose the expiry of what they keep",
    file = "core/merge/drop.c",
    find = "  out[count++] = *entry;\n",
    replace = "  out[count++] = *entry;\n  out[count - 1].expires_at_ms = 0;\n",
    caught_by = MODEL },

  { number = 37, class = "a limit inside a merge, and the rest lost",
    fault = "the entry that does not fit a full table is lost",
    file = "core/store/output.c",
    find = [[
  if (must_cut(output, entry, is_cut)) {
    status = end_table(output, err);
  }
]],
    replace = [[
  if (must_cut(output, entry, is_cut)) {
    return end_table(output, err);
  }
]],
    caught_by = MODEL },

  { number = 38, class = "a store's file as a standard stream",
    fault = "files may have the descriptors 0 to 2",
    file = "core/env/posix/file.c",
    find = "  if (opened < FIRST_FD) {",
    replace = "  if (false) {",
    also = { {
      file = "core/env/posix/file.c",
      find = "  fill_streams();\n",
      replace = "",
    } },
    caught_by = "ctest/env/posix_file_test" },

  { number = 39, class = "checks that are off",
    fault = "the checksum of a block is not compared",
    file = "core/sst/block.c",
    find = "if (gs_checksum(bytes.data, end, seed) != "
      .. "gs_get_u64(bytes.data + end)) {",
    replace = "if (false) {",
    caught_by = "ctest/sst/table_verify_test" },

  { number = 40, class = "a recovery that grows with each crash",
    fault = "what a recovery that was cut short left is not cleared away",
    file = "core/store/recover.c",
    find = "  gs_directory_sweep_newer(store->env, store->alloc, store->path, "
      .. "&store->tree,\n                           store->read_manifest);\n",
    replace = "",
    caught_by = "ctest/store/recover_test" },

  -- The rules of plans, by the plans of a policy that means ill.

  { number = 41, class = "a plan that brings older data up",
    fault = "a plan may aim above the run over its oldest input",
    file = "core/tree/plan.c",
    find = "  if (position >= 2 * inputs->low) {",
    replace = "  if (position + 2 >= 2 * inputs->low) {",
    caught_by = HOSTILE },

  { number = 42, class = "what a drop hid comes back",
    fault = "older tables are not asked about when tables are dropped",
    file = "core/tree/plan_drop.c",
    find = "return check_dead(inputs, limits, refusal) && "
      .. "check_hidden(inputs, refusal);",
    replace = "(void)check_hidden;\n  "
      .. "return check_dead(inputs, limits, refusal);",
    caught_by = HOSTILE },

  { number = 43, class = "living entries dropped with dead ones",
    fault = "a table counts as dead when its first entry has expired",
    file = "core/tree/plan_drop.c",
    find = "         meta->max_expiry_ms <= clock_ms;",
    replace = "         meta->min_expiry_ms <= clock_ms;",
    caught_by = "ctest/tree/plan_dead_test" },

  { number = 44, class = "a drop under a snapshot",
    fault = "snapshots do not hinder a drop",
    file = "core/tree/plan_drop.c",
    find = "  if (limits->oldest_snapshot_seq == UINT64_MAX) {",
    replace = "  if (limits->oldest_snapshot_seq != 0) {",
    caught_by = HOSTILE },

  { number = 45, class = "two jobs on the same keys",
    fault = "jobs are kept apart by their inputs alone",
    file = "core/tree/claim.c",
    find = "        hulls_meet(inputs, claims[c])) {",
    replace = "        hulls_meet(inputs, claims[c]) && false) {",
    also = { {
      file = "core/store/compaction.c",
      find = "  bool is_valid = gs_compaction_check(store, &c->plan, "
        .. "&c->job, &refusal);",
      replace = "  bool is_valid = true;\n  (void)gs_compaction_check;\n"
        .. "  (void)refusal;",
    } },
    caught_by = HOSTILE },

  { number = 46, class = "what comes out of a decoder has another size",
    fault = "the size that a packed block tells is not compared",
    file = "core/code/codec.c",
    find = "return made == size ? GS_OK : fail_decode(GS_CODEC_ZSTD, err);",
    replace = "return ZSTD_isError(made) ? fail_decode(GS_CODEC_ZSTD, err) "
      .. ": GS_OK;",
    also = { {
      file = "core/code/codec.c",
      find = "return made >= 0 && (size_t)made == size ? GS_OK",
      replace = "return made >= 0 ? GS_OK",
    } },
    caught_by = "ctest/sst/packed_test" },

  { number = 47, class = "damage decoded",
    fault = "the checksum of a packed block is not compared",
    file = "core/sst/packed.c",
    find = "  if (gs_checksum(data, end, seed) != gs_get_u64(data + end)) {",
    replace = "  if (seed == 1) {",
    caught_by = "spec/torture/bit_flip_spec.lua" },

  { number = 48, class = "a search that passes over what is sound",
    fault = "a walk behind damage looks for plain blocks only",
    file = "core/store/remains.c",
    find = "  return codec < GS_CODECS && word >> 8 <= most;",
    replace = "  return word == 0 && codec <= most;",
    caught_by = "ctest/store/remains_test" },
}
