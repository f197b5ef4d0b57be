/*
 * replay.c: main of a fuzz target that is not built for a fuzzer: runs it on
 * files, and on every file of folders, and reports in TAP.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replayed;

static void replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(1 << 22);
    size_t size = file && bytes ? fread(bytes, 1, 1 << 22, file) : 0;
    uint8_t *exact = malloc(size ? size : 1); /* a block of the right size, for the sanitizers */
    for (size_t i = 0; exact && i < size; i++)
        exact[i] = bytes[i];
    if (exact)
        LLVMFuzzerTestOneInput(exact, size);
    printf("%s %d - %s\n", file && exact ? "ok" : "not ok", ++replayed, path);
    free(exact);
    free(bytes);
    if (file)
        fclose(file);
}

static void replay_folder(DIR *folder, const char *path)
{
    for (struct dirent *entry; (entry = readdir(folder));) {
        char inside[1024];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        replay(inside);
    }
}

int main(int count, char **paths)
{
    for (int i = 1; i < count; i++) {
        DIR *folder = opendir(paths[i]);
        if (folder) {
            replay_folder(folder, paths[i]);
            closedir(folder);
        } else {
            replay(paths[i]);
        }
    }
    printf("1..%d\n", replayed);
    return 0;
}
