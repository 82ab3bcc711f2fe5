/*
 * edit_everything: an edit with every kind of record.
 */
#ifndef GS_CTEST_TREE_EDIT_EVERYTHING_H
#define GS_CTEST_TREE_EDIT_EVERYTHING_H

static const char edit_everything[] =
    "next 30; flushed 8; run 5 L1 top; run 6 L0 above 5; run 7 L2 bottom; "
    "level 5 2; add 5 12[a..f]#10-20; remove 9 11; segment 3 4096; unsegment "
    "2; note 9 a b";

#endif
