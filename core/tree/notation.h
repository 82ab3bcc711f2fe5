/*
 * notation: how keys and tables are written for people, the same in every dump.
 *
 * Threads: pure. Errors: those of the buffer, which are sticky.
 */
#ifndef GS_TREE_NOTATION_H
#define GS_TREE_NOTATION_H

#include "tree/version.h"

/* Printable ASCII as it is; blanks, backslashes and all else as \xNN. */
void gs_notation_key(gs_slice key, gs_buffer *out);

/* 12[a..f]#10-20 */
void gs_notation_table(const gs_table_meta *meta, gs_buffer *out);

#endif
