/*
 * bench_audit.c: what the audit of a whole model costs, on two threads:
 * seconds to load and to bound (the median of all repetitions), seconds of
 * processor time (which other work on the machine changes less), memory, and
 * the slowest layers.
 *
 *   bench_audit [--repeat N] [--target SECONDS] MODEL
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "lipaudit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { THREADS = 2, SLOWEST = 8, MOST_REPEATS = 99 };

typedef struct timing {
    double load, bounds, processor;
} timing;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double processor_seconds(void)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int quicker_first(const void *x, const void *y)
{
    const timing *a = x, *b = y;
    double left = a->load + a->bounds, right = b->load + b->bounds;
    return (left > right) - (left < right);
}

static int slower_first(const void *x, const void *y)
{
    const lip_layer *a = *(const lip_layer *const *)x, *b = *(const lip_layer *const *)y;
    return (a->seconds < b->seconds) - (a->seconds > b->seconds);
}

static void print_layers(const lip_report *report)
{
    const lip_layer **layers = malloc((report->layer_count + 1) * sizeof *layers);
    if (!layers)
        return;
    for (size_t i = 0; i < report->layer_count; i++)
        layers[i] = &report->layers[i];
    qsort(layers, report->layer_count, sizeof *layers, slower_first);
    printf("%-28s %-20s %9s %12s %10s  %s\n", "slowest layers", "operator", "seconds", "gain", "tight - 1",
           "proved by");
    for (size_t i = 0; i < report->layer_count && i < SLOWEST; i++)
        printf("%-28s %-20s %9.3f %12.6g %10.1e  %s\n", layers[i]->name, layers[i]->op, layers[i]->seconds,
               layers[i]->gain.upper, layers[i]->gain.tightness - 1, layers[i]->gain.method);
    free(layers);
}

static void print_network(const lip_model *model, const lip_report *report)
{
    static const char *const verdicts[] = {"bounded", "unbounded", "unknown"};
    struct rusage usage = {0};
    lip_model_info info = lip_model_describe(model);
    getrusage(RUSAGE_SELF, &usage);
    printf("%s: %llu parameters, %zu nodes, %zu layers\n", info.path, (unsigned long long)info.parameters, info.nodes,
           report->layer_count);
    printf("%s, L_F %.6g\n", verdicts[report->verdict], report->network.upper);
    printf("memory: %.0f MiB by the library's account, %ld MiB resident at the peak\n",
           (double)report->peak_memory_bytes / (1 << 20), usage.ru_maxrss >> 10);
    print_layers(report);
}

/* One audit, printed if it is the last. */
static int run(const char *path, bool last, timing *out)
{
    lip_model *model = NULL;
    lip_report *report = NULL;
    lip_error error = {0};
    lip_audit_options options = {.threads = THREADS, .effort = LIP_EFFORT_PRODUCT};
    double start = now(), processor = processor_seconds();
    lip_status status = lip_model_open(path, NULL, &model, &error);
    out->load = now() - start;
    start = now();
    if (status == LIP_OK)
        status = lip_audit(model, &options, &report, &error);
    out->bounds = now() - start;
    out->processor = processor_seconds() - processor;
    if (status != LIP_OK)
        fprintf(stderr, "bench_audit: %s: %s: %s\n", path, error.node, error.reason);
    else if (last)
        print_network(model, report);
    lip_report_free(&report);
    lip_model_free(&model);
    return status != LIP_OK;
}

int main(int argc, char **argv)
{
    static timing timings[MOST_REPEATS];
    const char *path = NULL;
    int repeats = 1;
    double target = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--repeat") == 0 && i + 1 < argc)
            repeats = atoi(argv[++i]);
        else if (strcmp(argv[i], "--target") == 0 && i + 1 < argc)
            target = atof(argv[++i]);
        else
            path = argv[i];
    }
    if (!path || repeats < 1 || repeats > MOST_REPEATS) {
        fprintf(stderr, "usage: bench_audit [--repeat N] [--target SECONDS] MODEL\n");
        return 2;
    }
    for (int i = 0; i < repeats; i++)
        if (run(path, i == repeats - 1, &timings[i]))
            return 1;
    qsort(timings, (size_t)repeats, sizeof *timings, quicker_first);
    timing median = timings[repeats / 2];
    double total = median.load + median.bounds;
    printf("load %.3f s, bounds %.3f s on %d threads, together %.3f s, processor time %.3f s", median.load,
           median.bounds, THREADS, total, median.processor);
    if (repeats > 1)
        printf(" (median of %d, %.3f to %.3f)", repeats, timings[0].load + timings[0].bounds,
               timings[repeats - 1].load + timings[repeats - 1].bounds);
    if (target > 0)
        printf("; target %g s: %s", target, total < target ? "met" : "missed");
    printf("\n");
    return 0;
}
