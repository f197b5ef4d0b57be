/*
 * html.h: the parts of the HTML report: one file, no script, nothing from
 * elsewhere.
 *
 * Pictures are inline SVG in which places are percentages, so that they fit
 * any width while text keeps its size. Everything that matters is in tables
 * and presentation attributes: the page is complete where a content security
 * policy (Jenkins' default one) drops its style sheet, which adds layout and
 * follows prefers-color-scheme.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_HTML_H
#define LIP_AUDIT_HTML_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* They stand out on white and on black. */
#define HTML_PROVED "#3b82d0"
#define HTML_ESTIMATE "#e0862a"
#define HTML_BASELINE "#8b93a1"
#define HTML_ALARM "#d04545"
#define HTML_GOOD "#2f9e5b"

void html_style(FILE *stream); /* the style sheet */

/* Text: markup is escaped, control characters are as by utf8_print. */
void html_print(FILE *stream, const char *text);

/* What a function writes, as text. False: out of memory. */
bool html_said(FILE *stream, const json_t *report, void (*say)(const json_t *report, FILE *stream));

/* Sections; each prints nothing where the report has nothing for it. */
void html_gates(const json_t *report, FILE *stream);
void html_layers(const json_t *report, FILE *stream);        /* picture of gains, and the numbers */
void html_cumulative(const json_t *report, FILE *stream);    /* cumulative L along the network */
void html_comparison(const json_t *report, FILE *stream);    /* baseline beside model */
void html_certification(const json_t *report, FILE *stream); /* radii: histogram, certified accuracy, numbers */
void html_tightness(const json_t *report, FILE *stream);     /* proof beside attack */

#endif
