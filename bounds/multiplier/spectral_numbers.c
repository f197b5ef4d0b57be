/*
 * spectral_numbers.c: rows of a value over the variables, at one frequency.
 *
 * Errors are Frobenius norms: with A^ = A + E_A, M^ = M + E_M,
 *     ||fl(A^ M^) - A M||_F <= 4 gamma_{k+2} ||A^||_F ||M^||_F + ||E_A|| ||M^|| + ||A^|| ||E_M|| + ||E_A|| ||E_M||
 * for inner products of length k (complex: two real ones of length 2 k each, factor 2 sqrt 2 < 4). Second-order terms
 * are covered by the factor 1 + 2^-20.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spectral_graph.h"

#include "rounding.h"

#include <cblas.h>
#include <string.h>

static const double MORE = 1 + 0x1p-20;

double lip_image_norm(const lip_spectral_walk *w, const lip_image *image)
{
    int64_t rows = lip_image_rows(w, image);
    if (!image->rows)
        return lip_sqrt_up((double)rows);
    return lip_norm_upper((const double *)image->rows, 2 * rows * w->spectral->variables);
}

double complex lip_image_element(const lip_spectral_walk *w, const lip_image *image, int64_t row, int64_t column)
{
    if (image->rows)
        return image->rows[row * w->spectral->variables + column];
    return column == w->spectral->group[image->group].first + row ? 1 : 0;
}

static bool open_rows(lip_spectral_walk *w, lip_image *out)
{
    out->group = -1;
    out->rows = lip_alloc(w->spectral->memory, lip_image_rows(w, out) * w->spectral->variables, sizeof *out->rows);
    return out->rows != NULL;
}

bool lip_image_convolve(lip_spectral_walk *w, const lip_conv *c, const lip_image *in, lip_image *out)
{
    int64_t rows = lip_image_rows(w, out), cols = lip_image_rows(w, in), n = w->spectral->variables;
    double complex *a = lip_alloc(w->spectral->memory, rows * cols, sizeof *a);
    double *weights = lip_alloc(w->spectral->memory, lip_conv_weight_count(c), sizeof *weights);
    bool fine = open_rows(w, out) && a && weights;
    if (fine) {
        lip_tensor_to_real(c->weight, weights);
        double off = lip_spectral_symbol(c, weights, lip_image_ratio(w, in), w->spectral->side, w->j, a);
        double size = lip_norm_upper((const double *)a, 2 * rows * cols);
        if (in->rows) {
            const double complex one = 1, zero = 0;
            double norm = lip_image_norm(w, in);
            cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, (blasint)n, (blasint)cols, &one, a,
                        (blasint)cols, in->rows, (blasint)n, &zero, out->rows, (blasint)n);
            out->error = (4 * lip_gamma((double)cols + 2) * size * norm + off * norm + size * in->error) * MORE;
        } else {
            int64_t first = w->spectral->group[in->group].first;
            for (int64_t i = 0; i < rows; i++)
                memcpy(out->rows + i * n + first, a + i * cols, (size_t)cols * sizeof *a);
            out->error = off;
        }
    }
    lip_free(w->spectral->memory, weights);
    lip_free(w->spectral->memory, a);
    return fine;
}

bool lip_image_scale(lip_spectral_walk *w, const lip_scale *scale, const lip_image *in, lip_image *out)
{
    int64_t rows = lip_image_rows(w, in), n = w->spectral->variables, phases = rows / in->channels;
    double largest = 0;
    if (!open_rows(w, out))
        return false;
    for (int64_t i = 0; i < rows; i++) {
        double factor = scale->factor[scale->count == 1 ? 0 : i / phases];
        largest = fmax(largest, fabs(factor));
        if (!in->rows)
            out->rows[i * n + w->spectral->group[in->group].first + i] = factor;
        for (int64_t j = 0; in->rows && j < n; j++)
            out->rows[i * n + j] = in->rows[i * n + j] * factor;
    }
    out->error = largest * (in->error + (scale->relative_error + 4 * LIP_UNIT) * lip_image_norm(w, in)) * MORE;
    return true;
}

bool lip_image_add(lip_spectral_walk *w, double ca, const lip_image *a, double cb, const lip_image *b, lip_image *out)
{
    int64_t rows = lip_image_rows(w, a), n = w->spectral->variables;
    if (!open_rows(w, out))
        return false;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < n; j++)
            out->rows[i * n + j] = ca * lip_image_element(w, a, i, j) + cb * lip_image_element(w, b, i, j);
    double rounding = 6 * LIP_UNIT * (fabs(ca) * lip_image_norm(w, a) + fabs(cb) * lip_image_norm(w, b));
    out->error = (rounding + fabs(ca) * a->error + fabs(cb) * b->error) * MORE;
    return true;
}

void lip_image_store(lip_spectral_walk *w, const lip_image *z, int64_t group)
{
    int64_t rows = lip_image_rows(w, z), n = w->spectral->variables;
    double complex *to = w->spectral->z[w->frequency] + w->spectral->group[group].first * n;
    for (int64_t i = 0; i < rows && !z->rows; i++)
        to[i * n + w->spectral->group[z->group].first + i] = 1;
    if (z->rows)
        memcpy(to, z->rows, (size_t)(rows * n) * sizeof *to);
    w->spectral->z_error[w->frequency][group] = z->error;
}
