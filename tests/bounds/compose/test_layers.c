/*
 * test_layers.c: which nodes become layers, and which scales are folded into
 * which linear node.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compose/layers.h"
#include "hand_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const double FACTORS[] = { 1, 2, 3, 4 };
static hand_graph g;
static lip_layer_plan *plans;
static size_t plan_count;

static void plan(void)
{
    lip_error error = { 0 };
    assert_int_equal(lip_plan_layers(&g.model, &g.model.arena, &plans, &plan_count, &error), LIP_OK);
}

static lip_gain conv_gain(void)
{
    return (lip_gain) {
        .kind = LIP_GAIN_CONV,
        .conv = { .dims = 1, .batch = 3, .groups = 1, .c_in = 3, .c_out = 3, .n = { 4 }, .n_out = { 4 },
                  .k = { 1 }, .stride = { 1 }, .dilation = { 1 } } };
}

static lip_shape image(void) { return hand_dims(3, 3, 3, 4, 0); }

/* first -> between (if any) -> second, one of them a convolution and the other a scale. */
static void chain(lip_gain first, const lip_gain *between, lip_gain second)
{
    hand_begin_graph(&g);
    lip_value *x = hand_varying(&g, image()), *c = hand_constant(&g, image());
    lip_value *y = hand_add(&g, first, image(), x, NULL, NULL);
    if (between)
        y = hand_add(&g, *between, image(), c, y, NULL);
    hand_logits(&g, hand_add(&g, second, image(), y, NULL, NULL));
    plan();
}

static void check_plain_folds(void **unused)
{
    (void)unused;
    lip_gain scale = hand_scale(FACTORS, 3, 1), translation = hand_kind(LIP_GAIN_SUM);
    for (int between = 0; between < 2; between++) {
        chain(conv_gain(), between ? &translation : NULL, scale);
        assert_true(plans[0].after == &plans[plan_count - 1] && !plans[0].before && plans[plan_count - 1].folded_away);
        hand_end_graph(&g);
        chain(scale, between ? &translation : NULL, conv_gain());
        assert_true(plans[plan_count - 1].before == &plans[0] && !plans[plan_count - 1].after && plans[0].folded_away);
        hand_end_graph(&g);
    }
}

static void check_between(void **unused)
{
    (void)unused;
    lip_gain scale = hand_scale(FACTORS, 3, 1), relu = hand_slopes(0, 1), mean = hand_kind(LIP_GAIN_SUM);
    mean.coefficient = 0.5;
    const lip_gain *others[] = { &relu, &mean };
    for (int i = 0; i < 2; i++) {
        chain(conv_gain(), others[i], scale);
        assert_true(!plans[0].after && !plans[2].folded_away);
        hand_end_graph(&g);
    }
}

static void check_shapes_of_scales(void **unused)
{
    (void)unused;
    lip_gain single = hand_scale(FACTORS, 1, -1), wrong_axis = hand_scale(FACTORS, 3, 0);
    lip_gain spread = hand_scale(FACTORS, 4, -2), wrong_count = hand_scale(FACTORS, 4, 1);
    lip_gain repeated = hand_scale(FACTORS, 3, 1);
    repeated.scale.multiplicity = 2;
    chain(conv_gain(), NULL, single);
    assert_true(plans[0].after == &plans[1]);
    hand_end_graph(&g);
    const lip_gain refused[] = { wrong_axis, spread, wrong_count, repeated };
    for (int i = 0; i < 4; i++) {
        chain(conv_gain(), NULL, refused[i]);
        assert_true(!plans[0].after && !plans[1].folded_away);
        hand_end_graph(&g);
        chain(refused[i], NULL, conv_gain());
        assert_true(!plans[1].before && !plans[0].folded_away);
        hand_end_graph(&g);
    }
}

/* x [3, 3, 4] times [1, 3, 1, 1] is [1, 3, 3, 4]: axis 1 of the product is axis 0 of x, not its channels. */
static void check_rank_changes(void **unused)
{
    (void)unused;
    hand_begin_graph(&g);
    lip_value *y = hand_add(&g, conv_gain(), image(), hand_varying(&g, image()), NULL, NULL);
    hand_logits(&g, hand_add(&g, hand_scale(FACTORS, 3, 1), hand_dims(4, 1, 3, 3, 4), y, NULL, NULL));
    plan();
    assert_true(!plans[0].after && !plans[1].folded_away);
    hand_end_graph(&g);
}

static void check_read_twice(void **unused)
{
    (void)unused;
    for (int at_logits = 0; at_logits < 2; at_logits++)
        for (int scale_first = 0; scale_first < 2; scale_first++) {
            hand_begin_graph(&g);
            lip_gain scale = hand_scale(FACTORS, 3, 1);
            lip_value *x = hand_varying(&g, image());
            lip_value *y = hand_add(&g, scale_first ? scale : conv_gain(), image(), x, NULL, NULL);
            lip_value *z = hand_add(&g, scale_first ? conv_gain() : scale, image(), y, NULL, NULL);
            hand_logits(&g, at_logits ? y : hand_add(&g, hand_kind(LIP_GAIN_SUM), image(), z, y, NULL));
            plan();
            assert_true(!plans[0].after && !plans[1].before && !plans[0].folded_away && !plans[1].folded_away);
            hand_end_graph(&g);
        }
}

static void check_several(void **unused)
{
    (void)unused;
    hand_begin_graph(&g);
    lip_gain scale = hand_scale(FACTORS, 3, 1);
    lip_value *y = hand_varying(&g, image());
    const bool is_conv[] = { false, true, false, false, true, false };
    for (int i = 0; i < 6; i++)
        y = hand_add(&g, is_conv[i] ? conv_gain() : scale, image(), y, NULL, NULL);
    hand_logits(&g, y);
    plan();
    assert_int_equal(plan_count, 6);
    assert_true(plans[1].before == &plans[0] && plans[1].after == &plans[2]);
    assert_true(plans[4].before == &plans[3] && plans[4].after == &plans[5]);
    hand_end_graph(&g);
    hand_begin_graph(&g); /* one scale between two convolutions belongs to one of them */
    y = hand_add(&g, conv_gain(), image(), hand_varying(&g, image()), NULL, NULL);
    y = hand_add(&g, scale, image(), y, NULL, NULL);
    hand_logits(&g, hand_add(&g, conv_gain(), image(), y, NULL, NULL));
    plan();
    assert_true(plans[0].after == &plans[1] && !plans[2].before);
    hand_end_graph(&g);
}

static void check_kinds(void **unused)
{
    (void)unused;
    hand_begin_graph(&g);
    lip_value *c = hand_constant(&g, image()), *y = hand_varying(&g, image());
    c = hand_add(&g, conv_gain(), image(), c, NULL, NULL); /* constant: no layer */
    y = hand_add(&g, conv_gain(), image(), y, NULL, NULL);
    g.nodes[1].unknown = "not understood";
    y = hand_add(&g, conv_gain(), image(), y, NULL, NULL);
    g.statuses[2] = LIP_EUNSUPPORTED;
    y = hand_add(&g, conv_gain(), image(), y, NULL, NULL);
    g.nodes[3].op = NULL;
    y = hand_add(&g, hand_kind(LIP_GAIN_SUM), image(), y, c, NULL);
    hand_logits(&g, y);
    plan();
    assert_int_equal(plan_count, 4);
    for (int i = 0; i < 3; i++)
        assert_int_equal(plans[i].gain.kind, LIP_GAIN_UNKNOWN);
    assert_string_equal(plans[0].gain.reason, "not understood");
    assert_string_equal(plans[1].gain.reason, "told to fail");
    g.statuses[2] = LIP_EFORMAT;
    lip_error error = { 0 };
    assert_int_equal(lip_plan_layers(&g.model, &g.model.arena, &plans, &plan_count, &error), LIP_EFORMAT);
    hand_end_graph(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_plain_folds),      cmocka_unit_test(check_between),
        cmocka_unit_test(check_shapes_of_scales), cmocka_unit_test(check_rank_changes),
        cmocka_unit_test(check_read_twice),       cmocka_unit_test(check_several),
        cmocka_unit_test(check_kinds),
    };
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
