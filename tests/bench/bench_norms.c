/*
 * bench_norms.c: what a proved norm costs, layer kind by layer kind, beside
 * LAPACK's full SVD and the paper's method (5,000 power iterations on 128
 * vectors) in the same run, all on one thread.
 *
 * The SVD is run where the formed operator has at most SVD_FLOPS of work, and
 * scaled up from the largest one run otherwise ("~"). The paper's method is
 * timed over a few iterations and scaled to 5,000; for matrices its 128 vectors
 * go through one GEMM, for convolutions one after the other.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "linear/convolution.h"
#include "linear/svd.h"
#include "rounding.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const int PAPER_ITERATIONS = 5000, PAPER_VECTORS = 128;
static const double SVD_FLOPS = 4e10;

static lip_memory memory;
static double svd_rate; /* flops per second of the largest SVD run so far */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void *need(void *block)
{
    if (!block) {
        fputs("bench_norms: out of memory\n", stderr);
        exit(2);
    }
    return block;
}

static double *normals(int64_t count)
{
    double *w = need(lip_alloc(&memory, count, sizeof *w));
    lip_random random = lip_random_seed(1, (uint64_t)count);
    for (int64_t i = 0; i < count; i++)
        w[i] = lip_random_normal(&random);
    return w;
}

static double svd_flops(int64_t rows, int64_t cols)
{
    double longer = (double)(rows > cols ? rows : cols), shorter = (double)(rows > cols ? cols : rows);
    return 4 * longer * shorter * shorter;
}

/* Seconds of the full SVD; negative: estimated from its flops. Overwrites the matrix. */
static double time_svd(double *matrix, int64_t rows, int64_t cols)
{
    double sigma, start = now(), flops = svd_flops(rows, cols);
    lip_error error = { 0 };
    if (!matrix)
        return svd_rate > 0 ? -flops / svd_rate : (double)NAN;
    if (lip_svd_largest(matrix, rows, cols, &memory, &sigma, &error) != LIP_OK) {
        fprintf(stderr, "bench_norms: %s\n", error.reason);
        exit(2);
    }
    svd_rate = flops / (now() - start);
    return now() - start;
}

static void row(const char *name, const lip_norm *norm, double proved, double svd, double paper)
{
    printf("%-34s %-17s %9.1e %9.3f s   %c%9.3f s %8.1fx   ~%9.1f s %8.0fx\n", name, norm->method,
           norm->upper / norm->lower - 1, proved, svd < 0 ? '~' : ' ', fabs(svd), fabs(svd) / proved, paper,
           paper / proved);
    fflush(stdout);
}

static void bench_dense(int64_t rows, int64_t cols)
{
    char name[64];
    double *w = normals(rows * cols), *x = normals(cols * PAPER_VECTORS), *y = normals(rows * PAPER_VECTORS);
    lip_matrix matrix = { w, rows, cols };
    lip_panels panels = lip_matrix_panels(&matrix, 0);
    lip_random random = lip_random_seed(0, 0);
    lip_norm norm;
    double start = now();
    need(lip_dense_norm(&panels, 0, &random, &memory, &norm, NULL) == LIP_OK ? &norm : NULL);
    double proved = now() - start;
    int iterations = 3;
    start = now();
    for (int i = 0; i < iterations; i++) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, PAPER_VECTORS, (blasint)cols, 1, w,
                    (blasint)cols, x, PAPER_VECTORS, 0, y, PAPER_VECTORS);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)cols, PAPER_VECTORS, (blasint)rows, 1e-4, w,
                    (blasint)cols, y, PAPER_VECTORS, 0, x, PAPER_VECTORS);
    }
    double paper = (now() - start) / iterations * PAPER_ITERATIONS;
    snprintf(name, sizeof name, "dense %lld x %lld", (long long)rows, (long long)cols);
    row(name, &norm, proved, time_svd(svd_flops(rows, cols) <= SVD_FLOPS ? w : NULL, cols, rows), paper);
    lip_free(&memory, y);
    lip_free(&memory, x);
    lip_free(&memory, w);
}

static void bench_conv(int64_t c_in, int64_t c_out, int64_t k, int64_t stride, int64_t pad, int64_t n, int64_t groups)
{
    char name[64];
    lip_conv conv = { .dims = 2, .batch = 1, .groups = groups, .c_in = c_in, .c_out = c_out };
    for (int d = 0; d < 2; d++) {
        conv.n[d] = n;
        conv.k[d] = k;
        conv.stride[d] = stride;
        conv.dilation[d] = 1;
        conv.pad_begin[d] = pad;
        conv.n_out[d] = (n + 2 * pad - k) / stride + 1;
    }
    double *w = normals(lip_conv_weight_count(&conv)), *work = need(lip_alloc(&memory, lip_conv_work_count(&conv), 8));
    lip_conv_operator context = { &conv, w, work };
    lip_operator operator = lip_conv_as_operator(&context);
    lip_conv_options options = { LIP_EXACT_AUTO, 0 };
    lip_random random = lip_random_seed(0, 0);
    lip_norm norm;
    lip_power power;
    double start = now(), *matrix = NULL;
    need(lip_conv_norm(&conv, w, 0, &options, &random, &memory, &norm, NULL) == LIP_OK ? &norm : NULL);
    double proved = now() - start;
    int iterations = 4;
    start = now();
    need(lip_power_iteration(&operator, iterations, &random, &memory, &power, NULL) == LIP_OK ? &norm : NULL);
    double paper = (now() - start) / iterations * PAPER_ITERATIONS * PAPER_VECTORS;
    if (svd_flops(operator.rows, operator.cols) <= SVD_FLOPS) {
        matrix = need(lip_alloc(&memory, operator.rows * operator.cols, sizeof *matrix));
        need(lip_operator_form(&operator, matrix, &memory, NULL) == LIP_OK ? matrix : NULL);
    }
    snprintf(name, sizeof name, "conv %lld->%lld k%lld/%lld n%lld%s", (long long)c_in, (long long)c_out, (long long)k,
             (long long)stride, (long long)n, groups > 1 ? " depthwise" : "");
    row(name, &norm, proved, time_svd(matrix, operator.rows, operator.cols), paper);
    lip_free(&memory, matrix);
    lip_free(&memory, work);
    lip_free(&memory, w);
}

int main(void)
{
    lip_memory_init(&memory, UINT64_C(4) << 30);
    openblas_set_num_threads(1);
    printf("Gaussian weights, one thread, %s\n\n", openblas_get_config());
    printf("%-34s %-17s %9s %11s   %12s %9s   %12s %9s\n", "layer", "proved by", "excess", "proved", "LAPACK SVD",
           "ratio", "paper 5000x128", "ratio");
    bench_dense(100, 1568);
    bench_dense(512, 512);
    bench_dense(1000, 512);
    bench_dense(2048, 2048);
    bench_dense(4096, 4096);
    bench_conv(1, 16, 4, 2, 1, 28, 1);
    bench_conv(16, 32, 4, 2, 1, 14, 1);
    bench_conv(16, 16, 3, 1, 1, 32, 1);
    bench_conv(64, 64, 3, 1, 1, 14, 1);
    bench_conv(64, 64, 3, 1, 1, 56, 1);
    bench_conv(3, 64, 7, 2, 3, 224, 1);
    bench_conv(128, 256, 3, 2, 1, 28, 1);
    bench_conv(512, 512, 3, 1, 1, 7, 1);
    bench_conv(512, 512, 3, 1, 1, 14, 512);
    bench_conv(64, 256, 1, 1, 0, 56, 1);
    return 0;
}
