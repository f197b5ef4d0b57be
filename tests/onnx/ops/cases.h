/*
 * cases.h: cases for the operators' tests, one line each, and the node that a
 * line describes. test_ops.c runs every case; a row of the operator table
 * without a case fails.
 *
 * A line lists inputs, attributes and options, separated by spaces:
 *   x:2x3x4          an input that varies, elements uniform in [-2, 2]
 *   x:2x3@0.5,3      the same in [0.5, 3]
 *   c:2x3            a constant of random elements in [-2, 2], or with @ as above
 *   c:3=1,2,3        a constant with these elements; c:=0.5 is a scalar
 *   i:2=1,-1         a constant of int64; b:2x2=1,0,0,1 of bool; u:2=3,4 of uint8; w:2 of int32
 *   q:2x3@0,255      an input of uint8 that varies
 *   -                an optional input that is left out
 *   name=i:1  name=f:0.3  name=s:text  name=n:1,2  name=r:0.5,1
 *   name=t:a,b       attributes: int, float, string, list of ints, of floats, of
 *                    strings
 *   name=d:0.5,1  name=k:1,2
 *                    attributes: a tensor of float64, of uint8
 *   out:2            the node has two outputs (default 1)
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef TESTS_ONNX_OPS_CASES_H
#define TESTS_ONNX_OPS_CASES_H

#include "op.h"

#define CASE_MAX 16

typedef struct op_case {
    const char *domain, *op;
    int64_t opset;
    lip_gain_kind kind; /* that describe gives */
    const char *line;
} op_case;

typedef struct op_cases {
    const op_case *list;
    size_t count;
} op_cases;

extern const op_cases cases_copy, cases_elementwise, cases_linear, cases_ml, cases_norm, cases_quantized, cases_reduce;

/* A node on its own, with values, constants and attributes as a line says. */
typedef struct op_fixture {
    lip_memory memory;
    lip_arena arena;
    lip_node node;
    lip_value value[2 * CASE_MAX];
    lip_tensor constant[CASE_MAX]; /* as the node sees it */
    lip_value *inputs[CASE_MAX], *outputs[CASE_MAX];
    lip_attr attr[CASE_MAX];
    double low[CASE_MAX], high[CASE_MAX]; /* range of the elements of varying inputs */
    uint64_t seed;
} op_fixture;

/* False where the line is malformed or the operator is not in the table. */
bool op_fixture_open(op_fixture *fixture, const op_case *c);
void op_fixture_close(op_fixture *fixture);

/* The next random number, uniform in [low, high). */
double op_fixture_random(op_fixture *fixture, double low, double high);

#endif
