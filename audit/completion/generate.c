/*
 * generate.c: generate bash|zsh|fish: the shell's completion of lipaudit's
 * command line, from the tables of commands and flags. Run at build time.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "options.h"

#include <stdio.h>
#include <string.h>

typedef void each_flag(const lip_command *command, const lip_flag *flag);

static void for_flags(const lip_command *command, each_flag *print)
{
    for (size_t i = 0; i < flag_count; i++)
        if (flag_applies(&flags[i], command))
            print(command, &flags[i]);
}

static bool is_choice(const lip_flag *flag)
{
    return flag->value && strchr(flag->value, '|') && !strstr(flag->value, "FILE");
}

static bool is_file(const lip_flag *flag)
{
    return flag->value && (strstr(flag->value, "FILE") || strstr(flag->value, "PATH") || strstr(flag->value, ".onnx"));
}

static bool is_format(const lip_flag *flag)
{
    return strcmp(flag->name, "format") == 0;
}

/* "a|b|c" as "a b c". */
static void print_words(const char *choice)
{
    for (; *choice != '\0'; choice++)
        putchar(*choice == '|' ? ' ' : *choice);
}

static void print_formats(const lip_command *command)
{
    for (const lip_format *const *format = command->formats; *format; format++)
        printf("%s%s", format == command->formats ? "" : " ", (*format)->name);
}

/* Inside single quotes of a shell. */
static void print_quoted(const char *text, const char *escaped)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputs("'\\'", stdout);
        else if (strchr(escaped, *text))
            putchar('\\');
        putchar(*text);
    }
}

static void bash_flag(const lip_command *command, const lip_flag *flag)
{
    (void)command;
    printf(" --%s", flag->name);
    if (flag->letter)
        printf(" -%c", flag->letter);
}

static void bash_choice(const lip_command *command, const lip_flag *flag)
{
    if (!is_choice(flag) && !is_format(flag))
        return;
    printf("    %s:--%s) COMPREPLY=($(compgen -W '", command->name, flag->name);
    if (is_format(flag))
        print_formats(command);
    else
        print_words(flag->value);
    printf("' -- \"$word\")); return;;\n");
}

/* What follows these is a file or free text, never a flag. */
static void bash_value(const lip_command *command, const lip_flag *flag)
{
    if (flag->value && !is_choice(flag) && !is_format(flag))
        printf("    %s:--%s) %s return;;\n", command->name, flag->name,
               is_file(flag) ? "COMPREPLY=($(compgen -f -- \"$word\"));" : "COMPREPLY=();");
}

static void bash(void)
{
    printf("# bash completion of lipaudit, made from its table of flags\n_lipaudit() {\n"
           "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} flags=\n"
           "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W '");
    for (size_t i = 0; commands[i]; i++)
        printf("%s ", commands[i]->name);
    printf("--help --version' -- \"$word\")); return\n  fi\n  case ${COMP_WORDS[1]}:$before in\n");
    for (size_t i = 0; commands[i]; i++) {
        for_flags(commands[i], bash_choice);
        for_flags(commands[i], bash_value);
    }
    printf("  esac\n  case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; commands[i]; i++) {
        printf("    %s) flags='", commands[i]->name);
        for_flags(commands[i], bash_flag);
        printf("';;\n");
    }
    printf("  esac\n  case $word in\n    -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$word\"));;\n"
           "    *) COMPREPLY=($(compgen -f -- \"$word\"));;\n  esac\n}\n"
           "complete -o filenames -F _lipaudit lipaudit\n");
}

static void zsh_flag(const lip_command *command, const lip_flag *flag)
{
    printf("        '--%s%s[", flag->name, flag->value ? "=" : "");
    print_quoted(flag->help, "[]:\\");
    putchar(']');
    if (flag->value) {
        putchar(':');
        print_quoted(flag->value, "[]:\\");
        putchar(':');
        if (is_choice(flag) || is_format(flag)) {
            putchar('(');
            if (is_format(flag))
                print_formats(command);
            else
                print_words(flag->value);
            putchar(')');
        } else if (is_file(flag)) {
            fputs("_files", stdout);
        }
    }
    printf("' \\\n");
}

static void zsh(void)
{
    printf("#compdef lipaudit\n# zsh completion of lipaudit, made from its table of flags\n"
           "_lipaudit() {\n  if ((CURRENT == 2)); then\n    local -a names\n    names=(\n");
    for (size_t i = 0; commands[i]; i++) {
        printf("      '%s:", commands[i]->name);
        print_quoted(commands[i]->summary, ":\\");
        printf("'\n");
    }
    printf("    )\n    _describe command names\n    return\n  fi\n  case $words[2] in\n");
    for (size_t i = 0; commands[i]; i++) {
        printf("    %s)\n      shift words; ((CURRENT--))\n      _arguments \\\n", commands[i]->name);
        for_flags(commands[i], zsh_flag);
        printf("        '*:file:_files';;\n");
    }
    printf("  esac\n}\n_lipaudit \"$@\"\n");
}

static void fish_flag(const lip_command *command, const lip_flag *flag)
{
    printf("complete -c lipaudit -n '__fish_seen_subcommand_from %s' -l %s", command->name, flag->name);
    if (flag->letter)
        printf(" -s %c", flag->letter);
    if (flag->value)
        printf(" -r");
    if (flag->value && !is_file(flag))
        printf(" -f");
    if (is_choice(flag) || is_format(flag)) {
        printf(" -a '");
        if (is_format(flag))
            print_formats(command);
        else
            print_words(flag->value);
        printf("'");
    }
    printf(" -d '");
    for (const char *c = flag->help; *c != '\0'; c++) {
        if (*c == '\'' || *c == '\\')
            putchar('\\');
        putchar(*c);
    }
    printf("'\n");
}

static void fish(void)
{
    printf("# fish completion of lipaudit, made from its table of flags\n");
    for (size_t i = 0; commands[i]; i++)
        printf("complete -c lipaudit -f -n __fish_use_subcommand -a %s -d '%s'\n", commands[i]->name,
               commands[i]->summary);
    for (size_t i = 0; commands[i]; i++)
        for_flags(commands[i], fish_flag);
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*print)(void); } shell[] = {
        {"bash", bash}, {"zsh", zsh}, {"fish", fish},
    };
    for (size_t i = 0; argc == 2 && i < sizeof shell / sizeof *shell; i++)
        if (strcmp(argv[1], shell[i].name) == 0) {
            shell[i].print();
            return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
        }
    fputs("usage: generate bash|zsh|fish\n", stderr);
    return 2;
}
