/*
 * plan_types: plans and refusals as values, for the engine, the public header
 * and whoever makes plans. What a plan means and which are valid: plan.h.
 */
#ifndef GS_TREE_PLAN_TYPES_H
#define GS_TREE_PLAN_TYPES_H

#include "base/slice.h"

enum {
  GS_PLAN_MAX_INPUTS = 4096,
  GS_PLAN_MAX_CUTS = 4096,
  GS_PLAN_MAX_LEVEL = 63,
  GS_PLAN_MIN_TABLE_BYTES = 256,
  GS_REFUSAL_TABLES = 8,
};

typedef enum gs_plan_op {
  GS_PLAN_MERGE = 1,
  GS_PLAN_MOVE = 2,
  GS_PLAN_DROP = 3,
} gs_plan_op;

typedef enum gs_plan_target {
  GS_TARGET_NONE = 0,   /* drop */
  GS_TARGET_INTO = 1,   /* into run run_id */
  GS_TARGET_ABOVE = 2,  /* a new run just above run run_id */
  GS_TARGET_BOTTOM = 3, /* a new run below all */
} gs_plan_target;

typedef struct gs_plan {
  gs_plan_op op;
  gs_plan_target target;
  uint64_t run_id;        /* for INTO and ABOVE */
  int level;              /* label of the output run; -1: as the target or the
                             oldest input's */
  const uint64_t *inputs; /* table ids */
  size_t input_count;
  uint64_t table_bytes; /* where to cut output tables; 0: the store's option */
  const gs_slice *cuts; /* keys at which an output table must begin */
  size_t cut_count;
  const char *why; /* for people; may be NULL */
} gs_plan;

/* Stable names in Lua: the lower-case words in the comments. */
typedef enum gs_refusal_code {
  GS_REFUSAL_NONE = 0,
  GS_REFUSAL_BAD_PLAN = 1,       /* bad_plan */
  GS_REFUSAL_UNKNOWN_TABLE = 2,  /* unknown_table */
  GS_REFUSAL_BUSY_TABLE = 3,     /* busy_table */
  GS_REFUSAL_UPWARD = 4,         /* upward */
  GS_REFUSAL_PATH_BLOCKED = 5,   /* path_blocked */
  GS_REFUSAL_CLAIMED = 6,        /* claimed */
  GS_REFUSAL_NO_SPACE = 7,       /* no_space */
  GS_REFUSAL_TOO_MANY = 8,       /* too_many */
  GS_REFUSAL_BAD_CUT = 9,        /* bad_cut */
  GS_REFUSAL_NEEDS_REWRITE = 10, /* needs_rewrite */
  GS_REFUSAL_NOT_DEAD = 11,      /* not_dead */
} gs_refusal_code;

const char *gs_refusal_name(gs_refusal_code code);

typedef struct gs_refusal {
  gs_refusal_code code;
  uint64_t tables[GS_REFUSAL_TABLES]; /* the tables concerned, inputs first */
  size_t table_count;
  char text[256]; /* one sentence with table and run ids and the way out */
} gs_refusal;

#endif
