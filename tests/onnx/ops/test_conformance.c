/*
 * test_conformance.c: ONNX's own backend cases: a model, inputs, expected
 * outputs.
 *
 *   test_conformance README FOLDER...
 *
 * Every folder below FOLDER that holds model.onnx and test_data_set_0 is a
 * case. Outputs must agree with
 * rtol 1e-3, atol 1e-7, ONNX's default. Each output is taken as the logits of
 * a model of its own. Where a node needs a constant, the inputs but the first
 * floating-point one are made initializers, in the end all of them. Prints a
 * line per operator, and the table that README holds. Fails if an output
 * differs, if README's table is another, or if less than 97 % of the cases
 * pass whose operator occurs in feed-forward networks; skips where no folder
 * is there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph.h"
#include "op.h"
#include "read/tensor_proto.h"
#include "run.h"

#include "onnx.pb-c.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_IO = 16, MAX_OPS = 512, SKIPPED = 77 };

typedef struct bytes {
    void *data;
    size_t size;
} bytes;

typedef enum verdict { PASSED, FAILED, UNSUPPORTED, OTHER_TYPES, VERDICTS } verdict;

/* How many inputs are made constants. */
typedef enum constants { NONE, ALL_BUT_ONE, ALL, ATTEMPTS } constants;

typedef struct tally {
    char op[96];
    int count[VERDICTS];
    bool known; /* in the table of operators */
} tally;

/* What occurs in real feed-forward networks. */
static const char *const feed_forward[] = {
    "Add",       "AveragePool", "BatchNormalization", "Cast",    "Clip",      "Concat",      "Constant",
    "ConstantOfShape", "Conv",  "ConvTranspose",      "Div",     "Dropout",   "Flatten",     "Floor",
    "Gather",    "Gemm",        "GlobalAveragePool",  "Identity", "LRN",      "LeakyRelu",   "MatMul",
    "MaxPool",   "Mul",         "Pad",                "Pow",     "ReduceMean", "ReduceSum",  "Relu",
    "Reshape",   "Shape",       "Sigmoid",            "Sign",    "Slice",     "Softmax",     "Split",
    "Squeeze",   "Sub",         "Tanh",               "Transpose", "Unsqueeze"};

static tally tallies[MAX_OPS];
static int tally_count;

static bytes read_file(const char *path)
{
    bytes b = {0};
    FILE *file = fopen(path, "rb");
    if (!file) return b;
    fseek(file, 0, SEEK_END);
    b.size = (size_t)ftell(file);
    rewind(file);
    b.data = malloc(b.size + 1);
    if (!b.data || fread(b.data, 1, b.size, file) != b.size) {
        free(b.data);
        b.data = NULL;
    }
    fclose(file);
    return b;
}

/* FOLDER/NAME, where "input_#" stands for "input_<number>.pb". The caller frees. */
static char *join(const char *folder, const char *name, size_t number)
{
    size_t room = strlen(folder) + strlen(name) + 32;
    char *path = malloc(room);
    if (!path) abort();
    if (strchr(name, '#'))
        snprintf(path, room, "%s/%.*s%zu.pb", folder, (int)strcspn(name, "#"), name, number);
    else
        snprintf(path, room, "%s/%s", folder, name);
    return path;
}

static bytes read_from(const char *folder, const char *name, size_t number)
{
    char *path = join(folder, name, number);
    bytes b = read_file(path);
    free(path);
    return b;
}

/* One data set of a case. */
typedef struct data_set {
    lip_memory memory;
    lip_arena arena;
    size_t inputs;
    bytes input_bytes[MAX_IO], output_bytes[MAX_IO];
    lip_tensor input[MAX_IO];
} data_set;

/* Some data files keep bfloat16 inputs as uint16, the same bits: the type is set to what the model declares. */
static void declare_bfloat(bytes *b, const Onnx__ValueInfoProto *info)
{
    const Onnx__TypeProto *type = info->type;
    Onnx__TensorProto *tensor = b->data ? onnx__tensor_proto__unpack(NULL, b->size, b->data) : NULL;
    if (tensor && tensor->data_type == LIP_DTYPE_UINT16 && type &&
        type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE &&
        type->tensor_type->elem_type == LIP_DTYPE_BFLOAT16) {
        tensor->data_type = LIP_DTYPE_BFLOAT16;
        free(b->data);
        b->size = onnx__tensor_proto__get_packed_size(tensor);
        b->data = malloc(b->size + 1);
        if (!b->data) abort();
        onnx__tensor_proto__pack(tensor, b->data);
    }
    if (tensor) onnx__tensor_proto__free_unpacked(tensor, NULL);
}

static bool load_inputs(data_set *set, const char *folder, const Onnx__GraphProto *graph)
{
    lip_tensor_reader reader = {.arena = &set->arena};
    for (size_t i = 0; i < graph->n_input && i < MAX_IO; i++) {
        const char *name;
        lip_error error = {0};
        set->input_bytes[i] = read_from(folder, "input_#", i);
        declare_bfloat(&set->input_bytes[i], graph->input[i]);
        if (!set->input_bytes[i].data) return i > 0; /* trailing optional inputs */
        if (lip_tensor_read(&reader, set->input_bytes[i].data, set->input_bytes[i].size, &set->input[i], &name,
                            &error) != LIP_OK)
            return false;
        set->inputs = i + 1;
    }
    return true;
}

static void free_set(data_set *set)
{
    for (size_t i = 0; i < MAX_IO; i++) {
        free(set->input_bytes[i].data);
        free(set->output_bytes[i].data);
    }
    lip_arena_free(&set->arena);
}

static bool is_first_real(const data_set *set, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (lip_dtype_is_real(set->input[i].dtype)) return false;
    }
    return lip_dtype_is_real(set->input[index].dtype);
}

/* The model's bytes with inputs made initializers. The caller frees. */
static bytes with_constants(const bytes *model, const data_set *set, constants how)
{
    bytes out = {0};
    Onnx__ModelProto *proto = onnx__model_proto__unpack(NULL, model->size, model->data);
    if (!proto || !proto->graph) return out;
    Onnx__GraphProto *graph = proto->graph;
    graph->initializer = realloc(graph->initializer, (graph->n_initializer + MAX_IO) * sizeof *graph->initializer);
    for (size_t i = 0; i < set->inputs && i < graph->n_input; i++) {
        if (how == NONE || (how == ALL_BUT_ONE && is_first_real(set, i))) continue;
        Onnx__TensorProto *tensor =
            onnx__tensor_proto__unpack(NULL, set->input_bytes[i].size, set->input_bytes[i].data);
        if (!tensor) continue;
        free(tensor->name);
        tensor->name = strdup(graph->input[i]->name);
        graph->initializer[graph->n_initializer++] = tensor;
    }
    out.size = onnx__model_proto__get_packed_size(proto);
    out.data = malloc(out.size + 1);
    onnx__model_proto__pack(proto, out.data);
    onnx__model_proto__free_unpacked(proto, NULL);
    return out;
}

static bool agrees(const lip_tensor *wanted, const lip_tensor *found, char *text, size_t size)
{
    if (wanted->dtype != found->dtype) {
        snprintf(text, size, "type %s, wanted %s", lip_dtype_name(found->dtype), lip_dtype_name(wanted->dtype));
        return false;
    }
    if (!lip_shape_equal(&wanted->shape, &found->shape)) {
        char a[128], b[128];
        lip_shape_text(&wanted->shape, a, sizeof a);
        lip_shape_text(&found->shape, b, sizeof b);
        snprintf(text, size, "shape %s, wanted %s", b, a);
        return false;
    }
    for (int64_t i = 0; i < wanted->count; i++) {
        double x = lip_tensor_real(wanted, i), y = lip_tensor_real(found, i);
        if (x == y || (isnan(x) && isnan(y)) || fabs(x - y) <= 1e-7 + 1e-3 * fabs(x)) continue;
        snprintf(text, size, "element %lld is %.9g, wanted %.9g", (long long)i, y, x);
        return false;
    }
    return true;
}

/* The data set's elements for the model's inputs, by the graph's names. */
static const double *input_of(const lip_model *model, size_t index, const Onnx__GraphProto *graph, data_set *set)
{
    for (size_t i = 0; i < graph->n_input && i < set->inputs; i++) {
        if (strcmp(graph->input[i]->name, model->inputs[index]->name) != 0) continue;
        double *x = lip_arena_alloc(&set->arena, set->input[i].count, sizeof *x);
        lip_tensor_to_real(&set->input[i], x);
        return x;
    }
    return NULL;
}

static lip_status evaluate(const lip_model *model, const Onnx__GraphProto *graph, data_set *set, lip_tensor *out,
                           lip_error *error)
{
    const double *inputs[MAX_IO] = {NULL};
    if (model->logits->constant) {
        *out = *model->logits->constant;
        return LIP_OK;
    }
    if (!lip_dtype_is_real(model->logits->dtype)) return LIP_EUNSUPPORTED;
    for (size_t i = 0; i < model->input_count; i++) {
        inputs[i] = input_of(model, i, graph, set);
        if (!inputs[i]) return LIP_EUNSUPPORTED;
    }
    *out = (lip_tensor){.dtype = model->logits->dtype, .storage = LIP_F64, .shape = model->logits->shape};
    if (!lip_shape_count(&out->shape, &out->count)) return LIP_EUNSUPPORTED;
    out->room = lip_arena_alloc(&set->arena, out->count, sizeof(double));
    return lip_model_forward(model, inputs, out->f64_room, error);
}

/* One output by one attempt. */
static verdict try_output(const bytes *file, const Onnx__GraphProto *graph, data_set *set, size_t output, constants how,
                          const lip_tensor *wanted, char *text, size_t size)
{
    lip_model *model = NULL;
    lip_error error = {0};
    lip_input_shape shapes[MAX_IO];
    lip_load_options options = {.output = graph->output[output]->name, .shapes = shapes};
    bytes changed = with_constants(file, set, how);
    for (size_t i = 0; i < set->inputs && i < graph->n_input; i++) {
        if (how == ALL || (how == ALL_BUT_ONE && !is_first_real(set, i))) continue;
        shapes[options.shape_count++] = (lip_input_shape){graph->input[i]->name, set->input[i].shape};
    }
    lip_tensor found = {0};
    verdict result = UNSUPPORTED;
    lip_status status = lip_model_open_bytes(changed.data, changed.size, "model.onnx", &options, &model, &error);
    if (status == LIP_OK) status = evaluate(model, graph, set, &found, &error);
    if (status == LIP_OK) result = agrees(wanted, &found, text, size) ? PASSED : FAILED;
    if (status != LIP_OK) snprintf(text, size, "%s: %s", lip_status_text(status), error.reason);
    if (status == LIP_EFORMAT && !strstr(error.reason, "NaN") && !strstr(error.reason, "nfinit")) result = FAILED;
    lip_model_free(&model);
    free(changed.data);
    return result;
}

/* Expected bfloat16 outputs are kept as uint16 where they were cut off, not rounded: not what the model declares. */
static bool is_declared(const Onnx__ValueInfoProto *info, lip_dtype dtype)
{
    const Onnx__TypeProto *type = info->type;
    if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE) return false;
    return type->tensor_type->elem_type == (int32_t)dtype;
}

static verdict run_output(const char *folder, const bytes *file, const Onnx__GraphProto *graph, data_set *set,
                          size_t output, char *text, size_t size)
{
    const char *name;
    lip_tensor wanted;
    lip_error error = {0};
    lip_tensor_reader reader = {.arena = &set->arena};
    bytes *b = &set->output_bytes[output];
    *b = read_from(folder, "output_#", output);
    snprintf(text, size, "no output file, or one that holds no numbers");
    if (!b->data || lip_tensor_read(&reader, b->data, b->size, &wanted, &name, &error) != LIP_OK) return OTHER_TYPES;
    bool declared = is_declared(graph->output[output], wanted.dtype);
    for (size_t i = 0; i < set->inputs; i++) declared = declared && is_declared(graph->input[i], set->input[i].dtype);
    snprintf(text, size, "a data file is not of the type that the model declares");
    if (!declared) return OTHER_TYPES;
    verdict result = UNSUPPORTED;
    for (int how = NONE; how < ATTEMPTS && result == UNSUPPORTED; how++)
        result = try_output(file, graph, set, output, (constants)how, &wanted, text, size);
    return result;
}

static void count(const char *op, verdict v, bool in_table)
{
    int i = 0;
    while (i < tally_count && strcmp(tallies[i].op, op) != 0) i++;
    if (i == MAX_OPS) return;
    if (i == tally_count) snprintf(tallies[tally_count++].op, sizeof tallies[i].op, "%s", op);
    tallies[i].count[v]++;
    tallies[i].known = tallies[i].known || in_table;
}

/* The first node's operator that is not in the table and not Constant; NULL if there is none. */
static const char *first_unknown(const Onnx__GraphProto *graph)
{
    for (size_t i = 0; i < graph->n_node; i++) {
        const char *domain = graph->node[i]->domain;
        if (!domain || strcmp(domain, "ai.onnx") == 0) domain = "";
        if (strcmp(graph->node[i]->op_type, "Constant") != 0 && !lip_op_find(domain, graph->node[i]->op_type))
            return graph->node[i]->op_type;
    }
    return NULL;
}

static void run_case(const char *folder)
{
    char text[1024] = "its input files hold no numbers";
    bytes file = read_from(folder, "model.onnx", 0);
    Onnx__ModelProto *proto = file.data ? onnx__model_proto__unpack(NULL, file.size, file.data) : NULL;
    const char *unknown = proto && proto->graph ? first_unknown(proto->graph) : NULL;
    if (unknown) {
        count(unknown, UNSUPPORTED, false);
    } else if (proto && proto->graph && proto->graph->n_node > 0) {
        const char *op = proto->graph->n_node == 1 ? proto->graph->node[0]->op_type : "(several operators)";
        data_set set = {0};
        lip_memory_init(&set.memory, UINT64_C(1) << 31);
        lip_arena_init(&set.arena, &set.memory);
        char *data = join(folder, "test_data_set_0", 0);
        verdict worst = OTHER_TYPES;
        if (load_inputs(&set, data, proto->graph)) {
            worst = PASSED;
            for (size_t k = 0; k < proto->graph->n_output && k < MAX_IO && worst == PASSED; k++)
                worst = run_output(data, &file, proto->graph, &set, k, text, sizeof text);
        }
        count(op, worst, true);
        if (worst != PASSED) printf("%s %s: %s\n", worst == FAILED ? "FAILED" : "unsupported", folder, text);
        free_set(&set);
        free(data);
    }
    if (proto) onnx__model_proto__free_unpacked(proto, NULL);
    free(file.data);
}

/* Cases lie at most two levels down. */
static void run_folder(const char *folder, int depth)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char *path = join(folder, entries[i]->d_name, 0);
        if (strcmp(entries[i]->d_name, "model.onnx") == 0)
            run_case(folder);
        else if (entries[i]->d_name[0] != '.' && depth > 0)
            run_folder(path, depth - 1);
        free(path);
        free(entries[i]);
    }
    free(entries);
}

static int by_name(const void *a, const void *b)
{
    return strcasecmp(((const tally *)a)->op, ((const tally *)b)->op);
}

static bool is_feed_forward(const char *op)
{
    for (size_t i = 0; i < sizeof feed_forward / sizeof *feed_forward; i++) {
        if (strcmp(feed_forward[i], op) == 0) return true;
    }
    return false;
}

static void sum_up(int total[VERDICTS], int feed[VERDICTS])
{
    for (int i = 0; i < tally_count; i++) {
        for (int v = 0; v < VERDICTS; v++) {
            total[v] += tallies[i].count[v];
            if (is_feed_forward(tallies[i].op)) feed[v] += tallies[i].count[v];
        }
    }
}

static void print_row(const char *op, const int count[VERDICTS])
{
    printf("%-28s %8d %8d %12d %12d\n", op, count[PASSED], count[FAILED], count[UNSUPPORTED], count[OTHER_TYPES]);
}

/* README's table, from its own head to the end of the list of names. */
static void write_table(char *text, size_t size, const int total[VERDICTS], const int feed[VERDICTS])
{
    size_t used = (size_t)snprintf(
        text, size,
        "| ONNX's own test cases | passed | failed | not supported | other element types |\n|---|---|---|---|---|\n"
        "| of operators in feed-forward networks | %d | %d | %d | %d |\n| all | %d | %d | %d | %d |\n\n"
        "Not supported:",
        feed[PASSED], feed[FAILED], feed[UNSUPPORTED], feed[OTHER_TYPES], total[PASSED], total[FAILED],
        total[UNSUPPORTED], total[OTHER_TYPES]);
    size_t column = strlen("Not supported:");
    bool first = true;
    for (int i = 0; i < tally_count; i++) {
        char name[128] = "";
        if (tallies[i].count[UNSUPPORTED] == 0) continue;
        snprintf(name, sizeof name, "%.95s%s", tallies[i].op, tallies[i].known ? " (some)" : "");
        const bool wrap = column + strlen(name) + 3 > 118;
        int written = snprintf(text + used, size - used, "%s%s%s", first ? "" : ",", wrap ? "\n" : " ", name);
        used += written > 0 && (size_t)written < size - used ? (size_t)written : 0;
        column = wrap ? strlen(name) : column + strlen(name) + 2;
        first = false;
    }
    snprintf(text + used, size - used, ".\n");
}

static bool readme_holds(const char *path, const char *text)
{
    bytes b = read_file(path);
    bool holds = false;
    if (b.data) {
        ((char *)b.data)[b.size] = '\0';
        holds = strstr(b.data, text) != NULL;
    }
    free(b.data);
    if (!holds) printf("FAILED: %s does not hold this table as it is above\n", path);
    return holds;
}

int main(int argc, char **argv)
{
    static char table[8192];
    int total[VERDICTS] = {0}, feed[VERDICTS] = {0};
    for (int i = 2; i < argc; i++) run_folder(argv[i], 2);
    qsort(tallies, (size_t)tally_count, sizeof *tallies, by_name);
    printf("\n%-28s %8s %8s %12s %12s\n", "operator", "passed", "failed", "unsupported", "other types");
    for (int i = 0; i < tally_count; i++) print_row(tallies[i].op, tallies[i].count);
    sum_up(total, feed);
    print_row("feed-forward", feed);
    print_row("all", total);
    if (total[PASSED] + total[FAILED] == 0) {
        printf("no cases here: skipped\n");
        return SKIPPED;
    }
    write_table(table, sizeof table, total, feed);
    printf("\n%s\n", table);
    int cases = 0;
    for (int v = 0; v < VERDICTS; v++) cases += feed[v];
    bool enough = feed[PASSED] * 100 >= 97 * cases;
    if (!enough) printf("FAILED: %d of %d cases of feed-forward operators pass\n", feed[PASSED], cases);
    bool shown = argc < 2 || argv[1][0] == '\0' || readme_holds(argv[1], table);
    return total[FAILED] > 0 || !enough || !shown;
}
