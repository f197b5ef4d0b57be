/*
 * cases_ml.c: the domain ai.onnx.ml.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "cases.h"

#define ML "ai.onnx.ml"

/* One tree: x[1] <= 0.5, then two leaves. */
#define TREE(leaf)                                                                                        \
    " nodes_treeids=n:0,0,0 nodes_nodeids=n:0,1,2 nodes_featureids=n:1,0,0 nodes_modes=t:BRANCH_LEQ,LEAF,LEAF " \
    "nodes_values=r:0.5,0,0 nodes_truenodeids=n:1,0,0 nodes_falsenodeids=n:2,0,0 "                         \
    leaf "_treeids=n:0,0 " leaf "_nodeids=n:1,2 " leaf "_ids=n:0,2 " leaf "_weights=r:0.25,3"

static const op_case list[] = {
    {ML, "ArrayFeatureExtractor", 1, LIP_GAIN_COPY, "x:2x4 i:3=1,1,3"},
    {ML, "ArrayFeatureExtractor", 1, LIP_GAIN_COPY, "x:4 i:1x2=0,2"},
    {ML, "Binarizer", 1, LIP_GAIN_UNBOUNDED, "x:2x3 threshold=f:0.5"},
    {ML, "FeatureVectorizer", 1, LIP_GAIN_CONCAT, "x:2x3 c:2x1 i:2x2"},
    {ML, "FeatureVectorizer", 1, LIP_GAIN_CONCAT, "x:3"},
    {ML, "Imputer", 1, LIP_GAIN_ISOMETRY, "x:2x3 imputed_value_floats=r:1,2,3 replaced_value_float=f:nan"},
    {ML, "Imputer", 1, LIP_GAIN_UNBOUNDED, "x:2x3@0.5,2 imputed_value_floats=r:7 replaced_value_float=f:0"},
    {ML, "LabelEncoder", 2, LIP_GAIN_UNBOUNDED, "x:2x3 keys_floats=r:1,2 values_floats=r:0.5,-1"},
    {ML, "LabelEncoder", 4, LIP_GAIN_UNBOUNDED, "x:5 keys_floats=r:0,1 values_int64s=n:3,4 default_int64=i:9"},
    {ML, "LinearClassifier", 1, LIP_GAIN_DENSE, "x:2x3 coefficients=r:1,2,3,4,-5,6 intercepts=r:0.5,1"},
    {ML, "LinearRegressor", 1, LIP_GAIN_DENSE, "x:4x2 coefficients=r:3,-4 intercepts=r:1"},
    {ML, "LinearRegressor", 1, LIP_GAIN_DENSE, "x:2 coefficients=r:3,-4,1,1,0,2 targets=i:3"},
    {ML, "Normalizer", 1, LIP_GAIN_UNBOUNDED, "x:2x3@0.5,2"},
    {ML, "Normalizer", 1, LIP_GAIN_UNBOUNDED, "x:2x3@0.5,2 norm=s:L1"},
    {ML, "Normalizer", 1, LIP_GAIN_UNBOUNDED, "x:4@0.5,2 norm=s:L2"},
    {ML, "OneHotEncoder", 1, LIP_GAIN_UNBOUNDED, "x:2x3 cats_int64s=n:0,1,2"},
    {ML, "Scaler", 1, LIP_GAIN_SCALE, "x:2x3 offset=r:1,2,3 scale=r:0.5,-4,1"},
    {ML, "Scaler", 1, LIP_GAIN_SCALE, "x:2x3 offset=r:1 scale=r:0.5"},
    {ML, "TreeEnsemble", 5, LIP_GAIN_UNBOUNDED,
     "x:2x3 n_targets=i:2 tree_roots=n:0 nodes_featureids=n:1,2 nodes_modes=k:0,6 nodes_splits=d:0.5,0 "
     "nodes_truenodeids=n:0,1 nodes_trueleafs=n:1,1 nodes_falsenodeids=n:1,2 nodes_falseleafs=n:0,1 "
     "membership_values=d:1,2 leaf_targetids=n:0,1,1 leaf_weights=d:0.25,3,-1"},
    {ML, "TreeEnsembleClassifier", 3, LIP_GAIN_UNBOUNDED, "x:2x3 out:2 classlabels_int64s=n:0,1,2" TREE("class")},
    {ML, "TreeEnsembleRegressor", 3, LIP_GAIN_UNBOUNDED, "x:3 n_targets=i:3" TREE("target")},
    {ML, "ZipMap", 1, LIP_GAIN_ISOMETRY, "x:2x3 classlabels_int64s=n:0,1,2"},
    {ML, "SVMClassifier", 1, LIP_GAIN_LIPSCHITZ,
     "x:2x3 kernel_type=s:RBF kernel_params=r:0.5,0,3 classlabels_ints=n:0,1,2 vectors_per_class=n:1,2,1 "
     "support_vectors=r:1,0,2,0.5,1,1,-1,0,1,0,0,1 coefficients=r:1,-0.5,0.25,2,0.5,-1,-2,1 rho=r:0.1,0.2,0.3"},
    {ML, "SVMClassifier", 1, LIP_GAIN_LIPSCHITZ,
     "x:2x3 kernel_type=s:LINEAR classlabels_ints=n:0,1 vectors_per_class=n:1,1 support_vectors=r:1,0,2,0.5,1,1 "
     "coefficients=r:1,-0.5 rho=r:0.1"},
    {ML, "SVMRegressor", 1, LIP_GAIN_LIPSCHITZ,
     "x:2x3 kernel_type=s:RBF kernel_params=r:0.5,0,3 n_supports=i:2 support_vectors=r:1,0,2,0.5,1,1 "
     "coefficients=r:1,-0.5 rho=r:0.1"},
    {ML, "SVMRegressor", 1, LIP_GAIN_LIPSCHITZ,
     "x:2x3 kernel_type=s:SIGMOID kernel_params=r:0.5,0.1,3 n_supports=i:2 support_vectors=r:1,0,2,0.5,1,1 "
     "coefficients=r:1,-0.5 rho=r:0.1"},
    {ML, "SVMRegressor", 1, LIP_GAIN_UNBOUNDED,
     "x:2x3 kernel_type=s:POLY kernel_params=r:0.5,0.1,3 n_supports=i:2 support_vectors=r:1,0,2,0.5,1,1 "
     "coefficients=r:1,-0.5 rho=r:0.1"},
};

const op_cases cases_ml = {list, sizeof list / sizeof *list};
