/*
 * test_sort.c: nodes in any order of the file come out in topological order;
 * a sorted file keeps its order.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph.h"

#include <stdio.h>

static void check_sorted(const lip_model *model)
{
    for (size_t i = 0; i < model->node_count; i++)
        for (size_t k = 0; k < model->nodes[i]->input_count; k++) {
            const lip_value *value = model->nodes[i]->inputs[k];
            if (value && value->producer)
                assert_true(value->producer->index < i);
        }
}

static void test_sorted_stays(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1x3");
    build_node_in(b, "", "Relu", "n0", "x", "a");
    build_node_in(b, "", "Relu", "n1", "x", "b");
    build_node_in(b, "", "Relu", "n2", "b", "c");
    build_node_in(b, "", "Relu", "n3", "a", "d");
    build_node_in(b, "", "Add", "n4", "c d", "y");
    build_output(b, "y");
    lip_model *model = check_open(b, NULL);
    for (size_t i = 0; i < 5; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%zu", i);
        assert_string_equal(model->nodes[i]->name, name);
    }
    lip_model_free(&model);
    build_free(b);
}

/* A chain of many nodes, last one first: no recursion. */
static void test_long_reversed_chain(void **state)
{
    (void)state;
    enum { LENGTH = 20000 };
    build *b = build_new(17);
    build_input(b, "v0", "1");
    Onnx__NodeProto **nodes = build_memory(b, LENGTH * sizeof(*nodes));
    for (int i = LENGTH; i-- > 0;) {
        char in[16], out[16];
        snprintf(in, sizeof in, "v%d", i);
        snprintf(out, sizeof out, "v%d", i + 1);
        build_proto(b)->graph->n_node = 0;
        nodes[LENGTH - 1 - i] = build_node(b, "Relu", in, out);
    }
    build_proto(b)->graph->node = nodes;
    build_proto(b)->graph->n_node = LENGTH;
    build_output(b, "v20000");
    lip_model *model = check_open(b, NULL);
    assert_int_equal(model->node_count, LENGTH);
    check_sorted(model);
    assert_string_equal(model->nodes[0]->name, "#19999");
    lip_model_free(&model);
    build_free(b);
}

static void test_self_loop(void **state)
{
    (void)state;
    build *b = build_new(17);
    build_input(b, "x", "1");
    build_node_in(b, "", "Add", "loop", "x y", "y");
    build_output(b, "y");
    lip_model *model = NULL;
    lip_error error;
    assert_int_equal(build_open(b, NULL, &model, &error), LIP_EFORMAT);
    assert_string_equal(error.node, "loop");
    check_holds(error.reason, "depends on its own output 'y'");
    build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorted_stays),
        cmocka_unit_test(test_long_reversed_chain),
        cmocka_unit_test(test_self_loop),
    };
    return cmocka_run_group_tests_name("sort", tests, NULL, NULL);
}
