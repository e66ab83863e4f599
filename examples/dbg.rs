use vdps::verify::*; use vdps::device::ComputeDevice; use vdps::prior::*; use vdps::solver::*; use vdps::physics::*;
fn main(){
  let g=Golden::load(std::path::Path::new("/work/shared/golden/samplers_8step.safetensors")).unwrap();
  let task=std::env::args().nth(1).unwrap();
  let clean=g.clip("clean").unwrap(); let shape=clean.shape();
  let y=g.clip(&format!("{task}.measurement")).unwrap();
  let model:Box<dyn ForwardModel>=match task.as_str(){"dehaze"=>Box::new(Dehaze::new(shape).unwrap()),"blur"=>Box::new(Blur::new(shape,3.0).unwrap()),"inpaint"=>Box::new(Inpaint::new(shape,g.clip("inpaint.mask").unwrap()).unwrap()),_=>Box::new(Scatter::new(shape,Optics::SYNTHETIC,5.0,1.0).unwrap())};
  let mut noise=g.clips("noise").unwrap().into_iter();
  let net=NetworkPrior::load(std::path::Path::new("/work/shared/golden/unet_dim8_heads32.pt"),ComputeDevice::cpu("")).unwrap();
  let mut s=Reference::new(Box::new(net),Schedule::cosine(8),model,Measurement::exact(y),ReferenceConfig::published(Weight::SineSquared),vec![],Box::new(move|_|noise.next().unwrap())).unwrap();
  let xt=g.clips(&format!("{task}.x_t")).unwrap(); let x0=g.clips(&format!("{task}.x0_hat")).unwrap();
  let st=|a:&vdps::clip::Clip,b:&vdps::clip::Clip|{ let mut d:Vec<f32>=a.data().iter().zip(b.data()).map(|(a,b)|(a-b).abs()).collect(); d.sort_by(|a,b|b.total_cmp(a)); let r=(d.iter().map(|v|v*v).sum::<f32>()/d.len() as f32).sqrt(); format!("top {:.1e} {:.1e} {:.1e} {:.1e} rms {:.1e}",d[0],d[1],d[3],d[20],r)};
  for i in 0..8{ println!("step {i} recip {:.1} x_t {}",Schedule::cosine(8).step(7-i).sqrt_recip,st(s.state(),&xt[i])); let t=std::time::Instant::now(); let p=s.step().unwrap(); println!("   x0 {}  res {:.4} {:.2}s",st(s.signed_estimate(),&x0[i]),p.residual_rms,t.elapsed().as_secs_f64()); }
}
