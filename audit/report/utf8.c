/*
 * utf8.c: names from a file, made safe to print. Well-formed is what table
 * 3-7 of the Unicode standard says: no overlong forms, no surrogates.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"

size_t utf8_size(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return 1;
    size_t size = 0;
    if (s[0] >= 0xC2 && s[0] <= 0xF4)
        size = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    for (size_t i = 1; i < size; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xED && s[1] > 0x9F;
    bool too_large = s[0] == 0xF4 && s[1] > 0x8F;
    return overlong || surrogate || too_large ? 0 : size;
}

/* Bytes to print of the character at `text` as it is; 0: it must be replaced, and is *skip bytes long. */
static size_t printable(const char *text, size_t *skip)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t size = utf8_size(text);
    bool control = s[0] < 0x20 || s[0] == 0x7F || (s[0] == 0xC2 && size == 2 && s[1] < 0xA0);
    *skip = size == 0 ? 1 : size;
    return control || strncmp(text, REPLACEMENT, 3) == 0 ? 0 : size;
}

void utf8_print(FILE *stream, const char *text)
{
    size_t skip;
    for (; *text != '\0'; text += skip) {
        size_t size = printable(text, &skip);
        if (size > 0)
            fwrite(text, 1, size, stream);
        else
            fputc('?', stream);
    }
}

char *utf8_repair(const char *text)
{
    size_t length = strlen(text);
    char *copy = length < (size_t)-1 / 4 ? malloc(3 * length + 1) : NULL;
    if (!copy)
        return NULL;
    char *to = copy;
    while (*text != '\0') {
        size_t size = utf8_size(text);
        memcpy(to, size > 0 ? text : REPLACEMENT, size > 0 ? size : 3);
        to += size > 0 ? size : 3;
        text += size > 0 ? size : 1;
    }
    *to = '\0';
    return copy;
}

static int count_characters(const char *text)
{
    int count = 0;
    size_t skip;
    for (; *text != '\0' && count < 1 << 20; text += skip, count++)
        printable(text, &skip);
    return count;
}

static void append(lip_label *label, size_t *length, const char *text, size_t size)
{
    memcpy(label->text + *length, text, size);
    *length += size;
    label->text[*length] = '\0';
    label->width++;
}

/* GitHub runs a line of a log that begins with these as a command, blanks before it or not. */
static void defuse(char *text)
{
    text += strspn(text, " ");
    if (strncmp(text, "::", 2) == 0 || strncmp(text, "##[", 3) == 0)
        text[0] = '?';
}

lip_label utf8_fit(const char *text, int width, utf8_keep keep)
{
    lip_label label = {{0}, 0};
    size_t length = 0, skip;
    width = width < UTF8_LABEL_WIDTH ? width : UTF8_LABEL_WIDTH;
    int total = count_characters(text);
    int dots = total <= width || width <= 4 ? 0 : keep == UTF8_KEEP_START ? 1 : 2;
    int shown = total < width - dots ? total : width - dots;
    int first = keep == UTF8_KEEP_START ? 0 : total - shown;
    if (keep == UTF8_KEEP_END)
        for (int dot = 0; dot < dots; dot++)
            append(&label, &length, ".", 1);
    for (int i = 0; i < first + shown && *text != '\0'; i++, text += skip) {
        size_t size = printable(text, &skip);
        if (i >= first)
            append(&label, &length, size > 0 ? text : "?", size > 0 ? size : 1);
    }
    if (keep == UTF8_KEEP_START && dots > 0)
        append(&label, &length, ".", 1);
    defuse(label.text);
    return label;
}
