/*
 * table.h: the table of layers as plain text, fitted to a width. Names,
 * operators and shapes share what the columns of numbers leave over.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_TABLE_H
#define LIP_AUDIT_TABLE_H

#include "audit.h"

#include <jansson.h>
#include <stdio.h>

#define TABLE_WIDTH 100 /* columns where the output is not a terminal, and at the least */

void table_print_layers(const json_t *report, int width, bool colour, FILE *stream);

/* What the stream is written on. */
int stream_width(FILE *stream);   /* a terminal's columns, never less than TABLE_WIDTH */
bool stream_colour(FILE *stream); /* a terminal, and NO_COLOR is not set */

#define COLOUR_ALARM "\033[31m"
#define COLOUR_DOUBT "\033[33m"
#define COLOUR_STRONG "\033[1m"
#define COLOUR_END "\033[0m"

/* The colour of a verdict; "" where it needs none or colour is off. */
const char *verdict_colour(lip_verdict verdict, bool colour);

#endif
