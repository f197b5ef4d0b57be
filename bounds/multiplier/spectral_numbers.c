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

void lip_image_read(const lip_image *image, bool *reads)
{
    for (int64_t k = 0; k < LIP_SPECTRAL_GROUPS && image->group < 0; k++)
        reads[k] = reads[k] || image->reads[k];
    if (image->group >= 0)
        reads[image->group] = true;
}

static int64_t columns_of(const lip_spectral_walk *w, const lip_image *image)
{
    int64_t columns = 0;
    for (int64_t k = 0; k < w->spectral->groups; k++)
        columns += image->reads[k] ? lip_spectral_width(w->spectral, k) : 0;
    return columns;
}

double lip_image_norm(const lip_spectral_walk *w, const lip_image *image)
{
    int64_t rows = lip_image_rows(w, image);
    if (!image->rows)
        return lip_sqrt_up((double)rows);
    return lip_norm_upper((const double *)image->rows, 2 * rows * columns_of(w, image));
}

bool lip_image_open(lip_spectral_walk *w, lip_image *out)
{
    int64_t elements;
    out->group = -1;
    out->rows = lip_size_mul(lip_image_rows(w, out), columns_of(w, out), &elements)
                    ? lip_alloc(w->spectral->memory, elements, sizeof *out->rows) : NULL;
    return out->rows != NULL;
}

/* to[i][its columns of group k] += factor * image's, for i < rows; `to` has `lead` columns, those of `reads`. */
static void add_rows(const lip_spectral_walk *w, double factor, const lip_image *image, const bool *reads, int64_t lead,
                     double complex *to)
{
    int64_t rows = lip_image_rows(w, image), from = 0, at = 0, width = columns_of(w, image);
    for (int64_t k = 0; k < w->spectral->groups; k++) {
        int64_t columns = lip_spectral_width(w->spectral, k);
        for (int64_t i = 0; image->group == k && i < rows; i++)
            to[i * lead + at + i] += factor;
        for (int64_t i = 0; image->group < 0 && image->reads[k] && i < rows; i++)
            for (int64_t j = 0; j < columns; j++)
                to[i * lead + at + j] += factor * image->rows[i * width + from + j];
        from += image->group < 0 && image->reads[k] ? columns : 0;
        at += reads[k] ? columns : 0;
    }
}

bool lip_image_convolve(lip_spectral_walk *w, const lip_conv *c, const double *weights, const lip_image *in,
                        lip_image *out)
{
    int64_t rows = lip_image_rows(w, out), cols = lip_image_rows(w, in), n = columns_of(w, in), elements;
    double complex *a =
        lip_size_mul(rows, cols, &elements) ? lip_alloc(w->spectral->memory, elements, sizeof *a) : NULL;
    bool fine = a && lip_image_open(w, out);
    if (fine) {
        double off = lip_spectral_symbol(c, weights, lip_image_ratio(w, in), w->circle, w->turns, a);
        double size = lip_norm_upper((const double *)a, 2 * rows * cols);
        if (in->rows) {
            const double complex one = 1, zero = 0;
            double norm = lip_image_norm(w, in);
            cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, (blasint)n, (blasint)cols, &one, a,
                        (blasint)cols, in->rows, (blasint)n, &zero, out->rows, (blasint)n);
            out->error = (4 * lip_gamma((double)cols + 2) * size * norm + off * norm + size * in->error) * MORE;
        } else {
            memcpy(out->rows, a, (size_t)elements * sizeof *a);
            out->error = off;
        }
    }
    lip_free(w->spectral->memory, a);
    return fine;
}

bool lip_image_scale(lip_spectral_walk *w, const lip_scale *scale, const lip_image *in, lip_image *out)
{
    if (!lip_image_open(w, out))
        return false;
    int64_t rows = lip_image_rows(w, in), n = columns_of(w, out), phases = rows / in->channels;
    double largest = 0;
    add_rows(w, 1, in, out->reads, n, out->rows);
    for (int64_t i = 0; i < rows; i++) {
        double factor = scale->factor[scale->count == 1 ? 0 : i / phases];
        largest = fmax(largest, fabs(factor));
        for (int64_t j = 0; j < n; j++)
            out->rows[i * n + j] *= factor;
    }
    out->error = largest * (in->error + (scale->relative_error + 4 * LIP_UNIT) * lip_image_norm(w, in)) * MORE;
    return true;
}

bool lip_image_add(lip_spectral_walk *w, double ca, const lip_image *a, double cb, const lip_image *b, lip_image *out)
{
    if (!lip_image_open(w, out))
        return false;
    int64_t n = columns_of(w, out);
    add_rows(w, ca, a, out->reads, n, out->rows);
    add_rows(w, cb, b, out->reads, n, out->rows);
    double rounding = 6 * LIP_UNIT * (fabs(ca) * lip_image_norm(w, a) + fabs(cb) * lip_image_norm(w, b));
    out->error = (rounding + fabs(ca) * a->error + fabs(cb) * b->error) * MORE;
    return true;
}

void lip_image_place(lip_spectral_walk *w, const lip_image *part, int64_t at, lip_image *out)
{
    int64_t n = columns_of(w, out);
    add_rows(w, 1, part, out->reads, n, out->rows + at * n);
    out->error = (out->error + part->error) * MORE;
}

void lip_image_store(lip_spectral_walk *w, const lip_image *z, int64_t group)
{
    const lip_spectral_pattern *p = &w->spectral->rows;
    bool reads[LIP_SPECTRAL_GROUPS] = { false };
    lip_image_read(z, reads);
    add_rows(w, 1, z, reads, p->width[group], w->spectral->z[w->frequency] + p->start[group]);
    w->spectral->z_error[w->frequency][group] = z->error;
}

void lip_image_gather(const lip_spectral_walk *w, const lip_image *image, int64_t at, double factor, double *row)
{
    const lip_spectral *s = w->spectral;
    if (image->group >= 0) {
        row[s->group[image->group].first + at] += factor;
        return;
    }
    const double complex *from = image->rows + at * columns_of(w, image);
    for (int64_t k = 0; k < s->groups; k++)
        for (int64_t j = 0; image->reads[k] && j < lip_spectral_width(s, k); j++)
            row[s->group[k].first + j] += factor * creal(*from++);
}
