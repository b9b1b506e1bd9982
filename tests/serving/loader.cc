// TensorFlow's C++ loader on a SavedModel: LOADER PATH SIGNATURE INPUT ID...
//
// Feeds one row of int32 ids to INPUT and prints the first row of the first output, or
// the error. With a signature of texts, the rest of the arguments is one text each.

#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/public/session.h"

using tensorflow::Tensor;

int Fail(const absl::Status& status) {
  std::cerr << status.ToString() << std::endl;
  return 1;
}

Tensor MakeInput(tensorflow::DataType dtype, const std::vector<std::string>& words) {
  const int64_t count = words.size();
  if (dtype == tensorflow::DT_STRING) {
    Tensor texts(dtype, {count});
    for (int64_t i = 0; i < count; ++i) {
      texts.flat<tensorflow::tstring>()(i) = words[i];
    }
    return texts;
  }
  Tensor ids(tensorflow::DT_INT32, {1, count});
  for (int64_t i = 0; i < count; ++i) ids.flat<int32_t>()(i) = std::stoi(words[i]);
  return ids;
}

int main(int argc, char** argv) {
  if (argc < 5) {
    std::cerr << "usage: loader PATH SIGNATURE INPUT VALUE..." << std::endl;
    return 2;
  }
  tensorflow::SavedModelBundle bundle;
  absl::Status status =
      tensorflow::LoadSavedModel({}, {}, argv[1], {"serve"}, &bundle);
  if (!status.ok()) return Fail(status);
  const auto& signature = bundle.GetSignatures().at(argv[2]);
  const auto& info = signature.inputs().at(argv[3]);
  const Tensor input = MakeInput(info.dtype(), {argv + 4, argv + argc});
  std::vector<Tensor> outputs;
  status = bundle.GetSession()->Run({{info.name(), input}},
                                    {signature.outputs().begin()->second.name()},
                                    {}, &outputs);
  if (!status.ok()) return Fail(status);
  for (int64_t i = 0; i < outputs[0].NumElements(); ++i) {
    if (outputs[0].dtype() == tensorflow::DT_STRING) {
      std::cout << outputs[0].flat<tensorflow::tstring>()(i) << "\n";
    } else {
      std::cout << outputs[0].flat<int32_t>()(i) << " ";
    }
  }
  std::cout << std::endl;
  return 0;
}
